/**
 * The states of a delivery. Each change of a state is an arrow here, and is written by nothing but the SQL of {@link TRANSITIONS}.
 *
 * ```
 *               ┌────────settle, release──────┐
 *               ▼                             │
 * ──insert──▶ pending ────────queue────────▶ queued ──settle──▶ delivered, failed, cancelled
 *               ▲ │                           │                   ▲    │
 *               │ └──────────cancel───────────┴───────cancel──────┘    │
 *               └──────────────────────sendAgain───────────────────────┘
 * ```
 *
 * - `pending`: waits until `due_at`. An insert names no state: this is the default.
 * - `queued`: has a job for its attempt, or will have one, until `lease_until`. That the attempt has started is no state of its own
 *   ({@link NOT_STARTED}), so that a start writes no index.
 * - `delivered`, `failed`, `cancelled`: finished, at `finished_at`.
 */
const STATES = ['pending', 'queued', 'delivered', 'failed', 'cancelled'] as const

/** The states of a delivery. */
export type DeliveryState = (typeof STATES)[number]

/** An arrow of the drawing, as SQL on `deliveries d`. */
interface Transition {
  readonly from: readonly DeliveryState[]
  readonly to: readonly DeliveryState[]
  /** All that the state is made of, to be written by an `UPDATE`. */
  readonly set: string
  /** Whether a row that is found by its id is in one of `from`: see {@link isStill}. */
  readonly guard: string
}

function arrow({ from, to, set }: Omit<Transition, 'guard'>): Transition {
  return { from, to, set, guard: isStill(from) }
}

/** The arrows, each with the statements that perform it. To make a delivery pending moves `attempt` on: older jobs are stale. */
export const TRANSITIONS = {
  /** `queueDueDeliveries`, `queueOrderedDeliveries`; $9 is the length of the lease in ms. */
  queue: arrow({
    from: ['pending'],
    to: ['queued'],
    set: `state = 'queued', due_at = NULL, lease_until = now() + $9 * interval '1 ms'`,
  }),
  /** `recordOutcomes`: what its `step s` says. */
  settle: arrow({
    from: ['queued'],
    to: ['pending', 'delivered', 'failed', 'cancelled'],
    set: `state = s.state, lease_until = NULL, attempt = d.attempt + (s.state = 'pending')::int,
          due_at = CASE WHEN s.state = 'pending' THEN now() + s.due_in_ms * interval '1 ms' END,
          finished_at = CASE WHEN s.state <> 'pending' THEN now() END`,
  }),
  /** `releaseExpiredLeases`, `releaseDeliveriesOf`, `releaseQueued`, `unqueueDeliveries`: due now. One that is pending stays as it is. */
  release: arrow({
    from: ['queued'],
    to: ['pending'],
    set: `state = 'pending', attempt = d.attempt + (d.state = 'queued')::int, due_at = coalesce(d.due_at, now()),
          lease_until = NULL, probe = false`,
  }),
  /** `cancelDeliveries`, `cancelOrphanedDeliveries`: before an attempt has started. */
  cancel: arrow({
    from: ['pending', 'queued'],
    to: ['cancelled'],
    set: `state = 'cancelled', due_at = NULL, lease_until = NULL, finished_at = now()`,
  }),
  /** `redeliver`, `redeliverMany`, `replayDeliveries`: due now, with all attempts of the schedule before it; earlier ones still count in what is shown. */
  sendAgain: arrow({
    from: ['delivered', 'failed', 'cancelled'],
    to: ['pending'],
    set: `state = 'pending', attempt = d.attempt + 1, attempt_count = 0, earlier_attempts = d.earlier_attempts + d.attempt_count,
          redelivered = true, probe = false, due_at = now(), finished_at = NULL`,
  }),
} as const satisfies Readonly<Record<string, Transition>>

/** SQL: whether a pending or queued delivery `d` has no attempt under way. A start does not change `state`, so that it writes no index. */
export const NOT_STARTED = 'd.started_attempt < d.attempt'

/**
 * SQL: whether a delivery `d` that is found by its id is in one of these states. Written as what the state is not, which is a planner hint: for
 * `state = …` the planner would take the partial index of all such rows for a way to find them, and read the whole backlog.
 */
export function isStill(states: readonly DeliveryState[]): string {
  const others = STATES.filter((other) => !states.includes(other)).map((other) => `'${other}'`)
  return `d.state NOT IN (${others.join(', ')})`
}
