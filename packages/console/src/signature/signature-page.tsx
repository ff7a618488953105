import type { WebhookCheck } from '@ariftly/sdk/webhooks'
import { useState, type FormEvent } from 'react'
import { Badge } from '../ui/badge.tsx'
import { Fault } from '../ui/fault.tsx'
import { fieldText } from '../ui/form-fields.ts'
import { Page } from '../ui/page.tsx'
import { Table, type Column } from '../ui/table.tsx'
import { visibleText } from '../ui/visible-text.ts'

const TONES = { passed: 'good', failed: 'bad', skipped: 'quiet' } as const
/** The body is one line of JSON, as received: an editor may have added a line break at its end. */
const LAST_BREAK = /\r?\n$/

/** Checks a delivery that was received, step by step. Nothing of it is sent anywhere. */
export function SignaturePage() {
  const [checks, setChecks] = useState<readonly WebhookCheck[] | undefined>(undefined)
  const [error, setError] = useState<unknown>(undefined)

  async function submit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault()
    const fields = new FormData(event.currentTarget)
    const text = (name: string): string => fieldText(fields, name)
    setError(undefined)
    try {
      const { explain } = await import('@ariftly/sdk/webhooks')
      const secrets = text('secrets')
        .split(/\s+/)
        .filter((part) => part !== '')
      // Forms have CR LF where the person saw a line feed.
      const body = text('body').replaceAll('\r\n', '\n').replace(LAST_BREAK, '')
      setChecks(await explain(body, headersOf(text('headers')), secrets))
    } catch (thrown) {
      setChecks(undefined)
      setError(thrown)
    }
  }

  return (
    <Page title="Signature" name="Signature">
      <p className="muted">
        Paste what your receiver got, to see which check fails and why. It stays in this page: nothing is sent or kept.
      </p>
      {globalThis.isSecureContext ? (
        <form className="card form" onSubmit={(event) => void submit(event)}>
          <label className="field">
            <span>Body, byte for byte</span>
            <textarea name="body" rows={6} spellCheck={false} required />
          </label>
          <label className="field">
            <span>Headers, one a line</span>
            <textarea name="headers" rows={5} spellCheck={false} placeholder="webhook-id: evt_…" required />
          </label>
          <label className="field">
            <span>Secret; several by spaces</span>
            <input name="secrets" type="password" autoComplete="off" required />
          </label>
          <button type="submit" className="primary">
            Check
          </button>
        </form>
      ) : (
        <p className="note">
          Browsers compute signatures only on https and on localhost, and this page was loaded over plain http. Use{' '}
          <code>explain</code> of the SDK, or open the console by https.
        </p>
      )}
      {error !== undefined && <Fault error={error} />}
      {checks !== undefined && (
        <Table
          label="Checks"
          columns={COLUMNS}
          items={checks}
          keyOf={({ signature, check }) => `${signature} ${check}`}
        />
      )}
    </Page>
  )
}

const COLUMNS: readonly Column<WebhookCheck>[] = [
  {
    title: 'Signature',
    cell: ({ signature }) => (signature === 'standard' ? 'webhook-signature' : 'X-Ariftly-Signature'),
  },
  { title: 'Check', cell: ({ check }) => check },
  { title: 'Result', cell: ({ result }) => <Badge tone={TONES[result]}>{result}</Badge> },
  { title: 'Reason', cell: ({ reason }) => visibleText(reason) },
]

function headersOf(text: string): Readonly<Record<string, string>> {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.includes(':'))
  return Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).trim().toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  )
}
