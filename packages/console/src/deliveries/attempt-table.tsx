import type { ListedDelivery } from '@ariftly/sdk'
import { Table, type Column } from '../ui/table.tsx'
import { durationText, Time } from '../ui/time.tsx'
import { visibleText } from '../ui/visible-text.ts'

/** One attempt of a delivery. */
export type Attempt = NonNullable<ListedDelivery['attempts']>[number]

/** Attempts, newest first, with what each took. The API lists those of one delivery oldest first. */
export function AttemptTable({ attempts }: { readonly attempts: readonly Attempt[] }) {
  if (attempts.length === 0) return <p className="muted">No attempt was made yet.</p>
  const keyOf = ({ attempt, started_at }: Attempt): string => `${attempt} ${started_at}`
  const newestFirst = attempts.toSorted((one, other) => other.attempt - one.attempt)
  return <Table label="Attempts" columns={COLUMNS} items={newestFirst} keyOf={keyOf} />
}

const COLUMNS: readonly Column<Attempt>[] = [
  { title: 'Attempt', cell: ({ attempt, probe }) => (probe ? `${attempt} (probe)` : attempt) },
  { title: 'Started', cell: ({ started_at }) => <Time at={started_at} /> },
  {
    title: 'Result',
    cell: (attempt) => <span className={attempt.error === null ? 'good-text' : 'bad-text'}>{resultOf(attempt)}</span>,
  },
  {
    title: 'Took',
    cell: (attempt) => (
      <span title={partsOf(attempt)}>{attempt.total_ms === null ? '–' : durationText(attempt.total_ms)}</span>
    ),
  },
  { title: 'Address', cell: ({ address }) => visibleText(address ?? '–') },
]

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
