import { startPoll } from '@ariftly/async'
import type { Logger } from '@ariftly/fault'
import type { Queryable } from './queryable.ts'

/** How long things are kept, milliseconds. */
export interface Retention {
  readonly eventsMs: number
  readonly logMs: number
  /** Deliveries, their attempts, replays and redeliveries. */
  readonly deliveriesMs: number
}

/** Days that things are kept; see the table `retention` for what they must be to each other. */
export interface RetentionDays {
  readonly events: number
  readonly log: number
  readonly deliveries: number
}

/** The retention without settings. */
export const DEFAULT_RETENTION: Retention = retentionOf({ events: 90, log: 7, deliveries: 35 })

/** What `migrate` has written last. One row. */
export async function readRetention(db: Queryable): Promise<Retention> {
  const { rows } = await db.query<RetentionDays>(
    'SELECT events_days AS events, log_days AS log, deliveries_days AS deliveries FROM retention',
  )
  return rows[0] === undefined ? DEFAULT_RETENTION : retentionOf(rows[0])
}

function retentionOf({ events, log, deliveries }: RetentionDays): Retention {
  const dayMs = 86_400_000
  return { eventsMs: events * dayMs, logMs: log * dayMs, deliveriesMs: deliveries * dayMs }
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

interface RetentionWatchOptions {
  readonly db: Queryable
  readonly log: Pick<Logger, 'warn'>
  /** Milliseconds between two readings; default a minute. */
  readonly everyMs?: number
}

/** Retention times, read at most a minute ago; while Postgres is unavailable the last ones are used. */
export interface RetentionWatch {
  /** The default until the first reading. */
  current(): Retention
  close(): Promise<void>
}

/** Reads the retention now and then every minute. */
export function watchRetention({ db, log, everyMs = 60_000 }: RetentionWatchOptions): RetentionWatch {
  let retention = DEFAULT_RETENTION
  const poll = startPoll({
    async step() {
      retention = await readRetention(db)
    },
    everyMs,
    retryMs: () => Math.min(everyMs, 1000),
    log,
    failing: 'the retention cannot be read',
  })
  return { current: () => retention, close: poll.close }
}
