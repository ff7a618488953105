const STATES = ['pending', 'queued', 'attempting', 'delivered', 'failed', 'cancelled'] as const

/** Where a delivery stands (design 8). */
export type DeliveryState = (typeof STATES)[number]

/** A delivery that has ended, of `deliveries d`; said so that no partial index is taken for a way to find rows by id. */
export const FINISHED = `d.state NOT IN ('pending', 'queued', 'attempting')`

/**
 * Sets `deliveries d` back to `pending`, due now under a new attempt number, with all attempts of the schedule before it;
 * those made so far go on counting in what is shown.
 */
export const SENT_AGAIN = `state = 'pending', attempt = d.attempt + 1, attempt_count = 0,
  earlier_attempts = d.earlier_attempts + d.attempt_count, redelivered = true, probe = false, due_at = now(),
  finished_at = NULL`

/**
 * The guard of a statement that finds its rows by id, as SQL: true for rows in this state. It says what the state is not:
 * written as `state = …` the planner would take the partial index of all such rows for a way to find them, and read
 * the whole backlog.
 */
export function isStill(state: DeliveryState, alias = 'deliveries'): string {
  const others = STATES.filter((other) => other !== state).map((other) => `'${other}'`)
  return `${alias}.state NOT IN (${others.join(', ')})`
}
