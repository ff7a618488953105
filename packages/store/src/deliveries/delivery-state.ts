const STATES = ['pending', 'queued', 'attempting', 'delivered', 'failed', 'cancelled'] as const

/** Where a delivery stands (design 8). */
export type DeliveryState = (typeof STATES)[number]

/**
 * The guard of a statement that finds its rows by id, as SQL: true for rows in this state. It says what the state is not:
 * written as `state = …` the planner would take the partial index of all such rows for a way to find them, and read
 * the whole backlog.
 */
export function isStill(state: DeliveryState, alias = 'deliveries'): string {
  const others = STATES.filter((other) => other !== state).map((other) => `'${other}'`)
  return `${alias}.state NOT IN (${others.join(', ')})`
}
