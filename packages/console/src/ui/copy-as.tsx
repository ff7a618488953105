import { useState } from 'react'
import { Dialog } from './dialog.tsx'
import type { Forms } from './request-forms.ts'

/** Shows what the page has asked for as a command or a program; the key is a variable. */
export function CopyAs({ forms }: { readonly forms: Forms }) {
  const [isOpen, setOpen] = useState(false)
  return (
    <>
      <button type="button" onClick={() => setOpen(true)}>
        Copy as …
      </button>
      {isOpen && (
        <Dialog title="The same request" onClose={() => setOpen(false)}>
          <div className="dialog-body">
            <Form name="curl" text={forms.curl} />
            <Form name="CLI" text={forms.cli} />
            <Form name="TypeScript" text={forms.sdk} />
          </div>
        </Dialog>
      )}
    </>
  )
}

function Form({ name, text }: { readonly name: string; readonly text: string }) {
  return (
    <section className="form-of">
      <header>
        <h3>{name}</h3>
        <CopyText text={text} />
      </header>
      <pre tabIndex={0} aria-label={name}>
        {text}
      </pre>
    </section>
  )
}

/** Copies a text; says so for two seconds, or that the browser refused. */
export function CopyText({ text, label = 'Copy' }: { readonly text: string; readonly label?: string }) {
  const [said, setSaid] = useState<string | undefined>(undefined)
  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(text)
      setSaid('Copied')
    } catch {
      setSaid('The browser refused')
    }
    setTimeout(setSaid, 2_000, undefined)
  }
  return (
    <button type="button" className="small-button" onClick={() => void copy()}>
      <span aria-live="polite">{said ?? label}</span>
    </button>
  )
}
