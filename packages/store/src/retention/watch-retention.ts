import type { Logger } from '@ariftly/fault'
import { startPoll } from '@ariftly/fairness'
import type { Queryable } from '../queryable.ts'
import { DEFAULT_RETENTION, readRetention, type Retention } from './read-retention.ts'

/** What {@link watchRetention} needs. */
export interface RetentionWatchOptions {
  readonly db: Queryable
  readonly log: Pick<Logger, 'warn'>
  /** Milliseconds between two readings; default a minute. */
  readonly everyMs?: number
}

/** How long things are kept, as read a minute ago at most; while Postgres is away the last reading holds. */
export interface RetentionWatch {
  /** The default until the first reading. */
  current(): Retention
  close(): Promise<void>
}

/** Reads the retention at once and then again and again. */
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
