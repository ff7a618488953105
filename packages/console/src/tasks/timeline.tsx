import { durationText } from '../ui/time.tsx'
import { visibleText } from '../ui/visible-text.ts'
import type { TaskEvent } from './task-event.ts'

/** Rows that are drawn; the table below has all. */
const ROWS_MAX = 60
const ROW_HEIGHT = 22
const WIDTH = 1_000

interface Mark {
  readonly atMs: number
  readonly kind: 'created' | 'appended' | 'projected' | 'attempt-good' | 'attempt-bad'
  readonly title: string
}

/** Each event on a line over time: the sender's clock, the log, Postgres, and each attempt. */
export function Timeline({ events }: { readonly events: readonly TaskEvent[] }) {
  const rows = events.slice(0, ROWS_MAX).map((one) => ({ event: one.event, marks: marksOf(one) }))
  const times = rows.flatMap(({ marks }) => marks.filter(({ kind }) => kind !== 'created').map(({ atMs }) => atMs))
  if (times.length === 0) return null
  const fromMs = Math.min(...times)
  const spanMs = Math.max(1, Math.max(...times) - fromMs)
  // The sender's clock may be wrong by any amount: its mark stays within the picture.
  const x = (atMs: number): number => 8 + Math.max(-0.005, Math.min(1.005, (atMs - fromMs) / spanMs)) * (WIDTH - 16)
  const label = `${rows.length} events over ${durationText(spanMs)}`
  return (
    <figure className="timeline card">
      <figcaption>
        <span>{label}</span>
        <Legend />
      </figcaption>
      <div className="timeline-rows">
        <ol className="timeline-names">
          {rows.map(({ event }) => (
            <li key={event.id}>{visibleText(event.type)}</li>
          ))}
        </ol>
        <svg
          role="img"
          aria-label={label}
          viewBox={`0 0 ${WIDTH} ${rows.length * ROW_HEIGHT}`}
          preserveAspectRatio="none"
        >
          {rows.map(({ event, marks }, row) => (
            <g key={event.id} transform={`translate(0 ${row * ROW_HEIGHT + ROW_HEIGHT / 2})`}>
              <line className="lane" x1={x(firstOf(marks))} x2={x(lastOf(marks))} y1={0} y2={0} />
              {marks.map((mark, at) => (
                <line
                  key={at}
                  className={`mark ${mark.kind}`}
                  x1={x(mark.atMs)}
                  x2={x(mark.atMs)}
                  y1={-7}
                  y2={7}
                  vectorEffect="non-scaling-stroke"
                >
                  <title>{mark.title}</title>
                </line>
              ))}
            </g>
          ))}
        </svg>
      </div>
      {events.length > ROWS_MAX && <p className="muted small">The first {ROWS_MAX} events are drawn.</p>}
    </figure>
  )
}

function marksOf({ event, listed, others }: TaskEvent): readonly Mark[] {
  const marks: Mark[] = [
    { atMs: Date.parse(event.created_at), kind: 'created', title: `created ${event.created_at} (the sender's clock)` },
  ]
  const { log } = event
  if (log !== undefined) {
    marks.push({ atMs: Date.parse(log.appended_at), kind: 'appended', title: `in the log ${log.appended_at}` })
    if (log.projected_at !== null) {
      marks.push({ atMs: Date.parse(log.projected_at), kind: 'projected', title: `projected ${log.projected_at}` })
    }
  }
  for (const { attempts = [], webhook_id } of listed) {
    for (const { started_at, error, status, attempt } of attempts) {
      const outcome = error ?? String(status)
      const kind = error === null ? 'attempt-good' : 'attempt-bad'
      marks.push({
        atMs: Date.parse(started_at),
        kind,
        title: `attempt ${attempt} of ${webhook_id}: ${outcome}, ${started_at}`,
      })
    }
  }
  for (const { webhook_id, last_attempt_at, last_error_class } of others) {
    if (last_attempt_at === null) continue
    marks.push({
      atMs: Date.parse(last_attempt_at),
      kind: last_error_class === null ? 'attempt-good' : 'attempt-bad',
      title: `last attempt of ${webhook_id}: ${last_error_class ?? 'delivered'}, ${last_attempt_at}`,
    })
  }
  return marks
}

function firstOf(marks: readonly Mark[]): number {
  return Math.min(...marks.filter(({ kind }) => kind !== 'created').map(({ atMs }) => atMs))
}

function lastOf(marks: readonly Mark[]): number {
  return Math.max(...marks.filter(({ kind }) => kind !== 'created').map(({ atMs }) => atMs))
}

function Legend() {
  return (
    <ul className="legend">
      <li className="created">created (sender's clock)</li>
      <li className="appended">in the log</li>
      <li className="projected">projected</li>
      <li className="attempt-good">attempt, 2xx</li>
      <li className="attempt-bad">attempt, failed</li>
    </ul>
  )
}
