const STATES = ['pending', 'queued', 'delivered', 'failed', 'cancelled'] as const

/** The states of a delivery. */
export type DeliveryState = (typeof STATES)[number]

/** A delivery that has ended, of `deliveries d`; said so that no partial index is taken for a way to find rows by id. */
export const FINISHED = `d.state NOT IN ('pending', 'queued')`

/**
 * Whether a delivery that is `pending` or `queued` has no attempt under way, as SQL. A start does not change `state`, so that it
 * writes no index.
 */
export function isNotStarted(alias = 'deliveries'): string {
  return `${alias}.started_attempt < ${alias}.attempt`
}

/** Whether an attempt of a queued delivery is under way. */
export const UNDER_WAY = `NOT ${isNotStarted()}`

/**
 * Sets `deliveries d` back to `pending`, due now under a new attempt number, with all attempts of the schedule before it;
 * those made so far still count in what is shown.
 */
export const SENT_AGAIN = `state = 'pending', attempt = d.attempt + 1, attempt_count = 0,
  earlier_attempts = d.earlier_attempts + d.attempt_count, redelivered = true, probe = false, due_at = now(),
  finished_at = NULL`

/**
 * The guard of a statement that finds its rows by id, as SQL: true for rows in one of these states. It says what the state is
 * not: written as `state = …` the planner would take the partial index of all such rows for a way to find them, and read
 * the whole backlog.
 */
export function isStill(states: readonly DeliveryState[], alias = 'deliveries'): string {
  const others = STATES.filter((other) => !states.includes(other)).map((other) => `'${other}'`)
  return `${alias}.state NOT IN (${others.join(', ')})`
}
