import { startPoll } from '@ariftly/async'
import { sleep, type Logger } from '@ariftly/runtime'
import type { Pool } from '@ariftly/store'
import { countDeliveries, type DeliveryCounts } from './count-deliveries.ts'

/** Dependencies of the watch. */
export interface BacklogWatchOptions {
  /** Lends a connection for as long as this process is the one that counts. */
  readonly pool: Pool
  /** Attempts that a webhook and a tenant may have in flight. */
  readonly limits: Parameters<typeof countDeliveries>[1]
  /** Ends it. */
  readonly signal: AbortSignal
  readonly log: Pick<Logger, 'warn'>
  readonly everyMs?: number
}

/** The count of unfinished deliveries. */
export interface BacklogWatch {
  /** The last one; undefined where another worker counts, or while Postgres is unavailable. */
  readonly counts: () => DeliveryCounts | undefined
  /** Resolves after the signal, when the connection is given back. */
  readonly ended: Promise<void>
}

const EVERY_MS = 15_000
/** A count of a large backlog is made less often, so that it takes no more of a connection's time than a fiftieth. */
const PAUSE_FACTOR = 50
/** The worker whose session holds this lock counts, alone of all workers on a database. */
const LOCK = `hashtextextended('ariftly webhook backlog', 0)`

/** Starts to count the unfinished deliveries of all webhooks: in one worker, whose place another takes when it ends. */
export function startBacklogWatch(o: BacklogWatchOptions): BacklogWatch {
  const { everyMs = EVERY_MS } = o
  let counts: DeliveryCounts | undefined

  async function countWhileMine(): Promise<void> {
    const session = await o.pool.connect()
    let locked = false
    try {
      const { rows } = await session.query<{ mine: boolean }>(`SELECT pg_try_advisory_lock(${LOCK}) AS mine`)
      locked = rows[0]?.mine === true
      if (!locked) return
      while (!o.signal.aborted) {
        const startedMs = performance.now()
        counts = await countDeliveries(session, o.limits, { signal: o.signal })
        await sleep(Math.max(everyMs, PAUSE_FACTOR * (performance.now() - startedMs)), o.signal)
      }
    } finally {
      // The lock goes with the session, however it ends.
      session.release(locked)
      counts = undefined
    }
  }

  const { ended } = startPoll({
    step: countWhileMine,
    everyMs,
    signal: o.signal,
    log: o.log,
    failing: 'deliveries cannot be counted',
  })
  return { counts: () => counts, ended }
}
