import { useEffect, type ReactNode } from 'react'
import { visibleText } from './visible-text.ts'

/** A page: its title, what can be done with it, and its content. */
export function Page(props: {
  readonly title: ReactNode
  /** For the tab of the browser. */
  readonly name: string
  readonly actions?: ReactNode
  readonly children: ReactNode
}) {
  const { title, name, actions, children } = props
  useEffect(() => {
    document.title = `${visibleText(name)} – Ariftly console`
  }, [name])
  return (
    <>
      <header className="page-head">
        <h1>{title}</h1>
        {actions !== undefined && <div className="actions">{actions}</div>}
      </header>
      {children}
    </>
  )
}

/** What is shown where nothing is: why, and what to do. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ReactNode }) {
  return (
    <div className="empty">
      <p>
        <strong>{title}</strong>
      </p>
      {children}
    </div>
  )
}

/** Shown while the first answer is waited for. */
export function Loading({ what }: { readonly what: string }) {
  return (
    <p className="loading muted" role="status">
      Loading {what} …
    </p>
  )
}

/** What the key may not do, and the scope that is missing. */
export function Missing({ scope, what }: { readonly scope: string; readonly what: string }) {
  return (
    <p className="note">
      This key has no scope <code>{scope}</code>: {what}
    </p>
  )
}
