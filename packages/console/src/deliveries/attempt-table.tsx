import type { ListedDelivery } from '@ariftly/sdk'
import { TableBox } from '../ui/table-box.tsx'
import { durationText, Time } from '../ui/time.tsx'
import { visibleText } from '../ui/visible-text.ts'

/** One attempt of a delivery. */
export type Attempt = NonNullable<ListedDelivery['attempts']>[number]

/** Attempts, newest first, with what each took. */
export function AttemptTable({ attempts }: { readonly attempts: readonly Attempt[] }) {
  if (attempts.length === 0) return <p className="muted">No attempt was made yet.</p>
  return (
    <TableBox label="Attempts">
      <table className="attempts">
        <thead>
          <tr>
            <th scope="col">Attempt</th>
            <th scope="col">Started</th>
            <th scope="col">Result</th>
            <th scope="col">Took</th>
            <th scope="col">Address</th>
          </tr>
        </thead>
        <tbody>
          {attempts.map((attempt) => (
            <tr key={`${attempt.attempt} ${attempt.started_at}`}>
              <td>{attempt.probe ? `${attempt.attempt} (probe)` : attempt.attempt}</td>
              <td>
                <Time at={attempt.started_at} />
              </td>
              <td className={attempt.error === null ? 'good-text' : 'bad-text'}>{resultOf(attempt)}</td>
              <td title={partsOf(attempt)}>{attempt.total_ms === null ? '–' : durationText(attempt.total_ms)}</td>
              <td>{visibleText(attempt.address ?? '–')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableBox>
  )
}

function resultOf({ status, error, error_detail }: Attempt): string {
  const detail = error_detail === null ? '' : `: ${visibleText(error_detail)}`
  if (error === null) return String(status ?? 'no answer')
  return status === null ? `${error}${detail}` : `${status} ${error}${detail}`
}

function partsOf({ dns_ms, connect_ms, tls_ms, first_byte_ms }: Attempt): string {
  const parts = { DNS: dns_ms, connect: connect_ms, TLS: tls_ms, 'first byte': first_byte_ms }
  return Object.entries(parts)
    .filter(([, ms]) => ms !== null)
    .map(([name, ms]) => `${name} ${ms} ms`)
    .join(', ')
}
