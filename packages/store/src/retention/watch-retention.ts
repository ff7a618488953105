import type { Queryable } from '../queryable.ts'
import { DEFAULT_RETENTION, readRetention, type Retention } from './read-retention.ts'

/** What {@link watchRetention} needs. */
export interface RetentionWatchOptions {
  readonly db: Queryable
  readonly log: { warn(fields: object, message: string): void }
  /** Milliseconds between two readings; default a minute. */
  readonly everyMs?: number
}

/** How long things are kept, as read a minute ago at most; while Postgres is away the last reading holds. */
export interface RetentionWatch {
  /** The default until the first reading. */
  current(): Retention
  close(): void
}

/** Reads the retention at once and then again and again. */
export function watchRetention({ db, log, everyMs = 60_000 }: RetentionWatchOptions): RetentionWatch {
  let retention = DEFAULT_RETENTION
  let closed = false
  let timer: NodeJS.Timeout | undefined
  void read()

  async function read(): Promise<void> {
    let pauseMs = everyMs
    try {
      retention = await readRetention(db)
    } catch (error) {
      if (!closed) log.warn({ err: error }, 'the retention cannot be read')
      pauseMs = Math.min(everyMs, 1000)
    }
    if (closed) return
    timer = setTimeout(() => void read(), pauseMs)
    timer.unref()
  }

  function close(): void {
    closed = true
    clearTimeout(timer)
  }

  return { current: () => retention, close }
}
