import { useEffect, useId, useRef, useState, type FormEvent } from 'react'
import { Fault } from '../ui/fault.tsx'
import { useSession } from './session.ts'

/** Asks for a key. `refused` says that there was one which is taken no more: the address stays. */
export function SignIn({ refused }: { readonly refused: boolean }) {
  const session = useSession()
  const input = useRef<HTMLInputElement>(null)
  const [error, setError] = useState<unknown>(undefined)
  const [isBusy, setBusy] = useState(false)
  const [remember, setRemember] = useState(false)
  const titleId = useId()
  useEffect(() => {
    // It named the page.
    document.title = 'Ariftly console'
  }, [])

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault()
    const apiKey = input.current?.value.trim() ?? ''
    if (apiKey === '') return input.current?.focus()
    setBusy(true)
    setError(undefined)
    try {
      await session.signIn(apiKey, { remember })
    } catch (thrown) {
      setError(thrown)
      setBusy(false)
      input.current?.focus()
    }
  }

  return (
    <main className="sign-in">
      <form className="card sign-in-card" onSubmit={(event) => void submit(event)} aria-labelledby={titleId}>
        <h1 id={titleId}>Ariftly console</h1>
        <p className="muted">
          {refused
            ? 'The key was revoked, rotated or has expired. Paste another one: the page stays where it is.'
            : 'Paste an API key. It stays in this tab and goes to this address alone.'}
        </p>
        <label className="field">
          <span>API key</span>
          <input ref={input} type="password" name="key" autoComplete="off" spellCheck={false} autoFocus required />
        </label>
        <label className="check">
          <input type="checkbox" checked={remember} onChange={(event) => setRemember(event.target.checked)} />
          <span>Keep it until this tab is closed, also when the page is loaded again</span>
        </label>
        {error !== undefined && <Fault error={error} />}
        <button className="primary" type="submit" disabled={isBusy}>
          {isBusy ? 'Checking the key …' : 'Open'}
        </button>
        <p className="muted small">
          <code>npm start</code> prints a key. How to make one for yourself: <a href="/docs">the API reference</a>.
        </p>
      </form>
    </main>
  )
}
