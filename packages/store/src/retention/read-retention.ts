import type { Queryable } from '../queryable.ts'

/** How long things are kept, milliseconds. */
export interface Retention {
  readonly eventsMs: number
  readonly logMs: number
  /** Deliveries, their attempts, replays and redeliveries. */
  readonly deliveriesMs: number
}

/** Of an installation that has not said otherwise: 90, 7 and 35 days. */
export const DEFAULT_RETENTION: Retention = retentionOf({ events_days: 90, log_days: 7, deliveries_days: 35 })

interface Columns {
  readonly events_days: number
  readonly log_days: number
  readonly deliveries_days: number
}

/** What `migrate` has written last. One row. */
export async function readRetention(db: Queryable): Promise<Retention> {
  const { rows } = await db.query<Columns>('SELECT events_days, log_days, deliveries_days FROM retention')
  return rows[0] === undefined ? DEFAULT_RETENTION : retentionOf(rows[0])
}

function retentionOf({ events_days, log_days, deliveries_days }: Columns): Retention {
  const dayMs = 86_400_000
  return { eventsMs: events_days * dayMs, logMs: log_days * dayMs, deliveriesMs: deliveries_days * dayMs }
}
