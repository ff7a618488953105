import { Outlet } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { useKey } from '../session/session.ts'
import { Dialog } from '../ui/dialog.tsx'
import { Navigation } from './navigation.tsx'
import { Shortcuts, ShortcutsContext, useShortcut } from './shortcuts.ts'
import { useNewVersion } from './use-new-version.ts'

/** What is around every page. */
export function Shell() {
  const { who } = useKey()
  const [shortcuts] = useState(() => new Shortcuts())
  useEffect(() => {
    const press = (event: KeyboardEvent) => shortcuts.press(event)
    document.addEventListener('keydown', press)
    return () => document.removeEventListener('keydown', press)
  }, [shortcuts])
  return (
    <ShortcutsContext value={shortcuts}>
      <div className="shell">
        <a className="skip" href="#main" onClick={skip}>
          To the content
        </a>
        <Navigation who={who} />
        <main id="main" tabIndex={-1}>
          <NewVersion />
          <Outlet />
        </main>
        <ShortcutHelp shortcuts={shortcuts} />
      </div>
    </ShortcutsContext>
  )
}

/** The fragment of the address is the page: a link to an element would leave it. */
function skip(event: { preventDefault(): void }): void {
  event.preventDefault()
  document.getElementById('main')?.focus()
}

function NewVersion() {
  const isNew = useNewVersion()
  if (!isNew) return null
  return (
    <p className="note" role="status">
      The server has a newer console.{' '}
      <button type="button" className="small-button" onClick={() => location.reload()}>
        Load it
      </button>
    </p>
  )
}

function ShortcutHelp({ shortcuts }: { readonly shortcuts: Shortcuts }) {
  const [isOpen, setOpen] = useState(false)
  useShortcut('?', 'Show these keys', () => setOpen(true))
  if (!isOpen) return null
  return (
    <Dialog title="Keys" onClose={() => setOpen(false)}>
      <dl className="keys">
        {shortcuts.list.map(({ keys, title }) => (
          <div key={keys}>
            <dt>
              {keys.split(' ').map((key, at) => (
                <kbd key={at}>{key}</kbd>
              ))}
            </dt>
            <dd>{title}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}
