import type { Queryable } from '../queryable.ts'

/** Days that things are kept; see the table `retention` for what they must be to each other. */
export interface RetentionDays {
  readonly events: number
  readonly log: number
  readonly deliveries: number
}

/** Writes the one row, as its owner: the services' role may not. False when it said so already. */
export async function writeRetention(db: Queryable, days: RetentionDays): Promise<boolean> {
  const { rowCount } = await db.query(
    `UPDATE retention SET events_days = $1, log_days = $2, deliveries_days = $3
      WHERE (events_days, log_days, deliveries_days) IS DISTINCT FROM ($1, $2, $3)`,
    [days.events, days.log, days.deliveries],
  )
  return rowCount === 1
}
