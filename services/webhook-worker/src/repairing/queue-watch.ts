import { randomUUID } from 'node:crypto'
import { inSlices, startPoll } from '@ariftly/async'
import type { Logger } from '@ariftly/runtime'
import { withTransaction, type Pool, type Transaction } from '@ariftly/store'
import { claimQueue, type QueueIdentity } from './claim-queue.ts'
import { releaseQueued } from './release-deliveries.ts'
import type { RedisClient } from '../queueing/redis.ts'

/** Dependencies of the watch. */
export interface QueueWatchOptions {
  readonly redis: RedisClient
  /** Prefix of all keys. */
  readonly prefix: string
  readonly pool: Pool
  /** UUID of this worker. */
  readonly workerId: string
  /** Called when queued deliveries are due again, as their jobs were lost. */
  readonly onReleased: (deliveries: number) => void
  /** Ends it. */
  readonly signal: AbortSignal
  readonly log: Pick<Logger, 'warn'>
  readonly everyMs?: number
}

const EVERY_MS = 1000
const ROWS_PER_STATEMENT = 5000

/**
 * Checks once a second whether Redis is the one that the jobs were added to. A marker key is lost with its data (FLUSHALL, a
 * restart without its file). The run id changes after a restart or a failover, when the last jobs may be lost. If it is not, all queued deliveries are due again at once, under a new attempt number: a job that is still there
 * is dropped by its guard. Of all workers that see it, one does so (`claimQueue`). Each other one does it for what it has queued
 * itself: it may have added those jobs to the Redis before after the first one had done so.
 */
export async function watchQueue(o: QueueWatchOptions): Promise<void> {
  let known: QueueIdentity | undefined
  await startPoll({
    step: compareIdentity,
    everyMs: o.everyMs ?? EVERY_MS,
    signal: o.signal,
    log: o.log,
    failing: 'the run id and the marker key of Redis cannot be read',
  }).ended

  async function compareIdentity(): Promise<void> {
    if (o.redis.status !== 'ready') return
    const found = await readIdentity(o.redis, o.prefix)
    if (found.marker === known?.marker && found.runId === known.runId) return
    const released = await withTransaction(o.pool, async (tx) => {
      if (await claimQueue(tx, found)) return await releaseAll(tx, undefined)
      return known === undefined ? 0 : await releaseAll(tx, o.workerId)
    })
    known = found
    if (released > 0) {
      o.log.warn({ deliveries: released }, 'Redis may have lost its jobs: queued deliveries are due again')
      o.onReleased(released)
    }
  }
}

/** Makes queued deliveries due again, all or those of one worker; returns how many. */
async function releaseAll(tx: Transaction, workerId: string | undefined): Promise<number> {
  return await inSlices(async () => {
    const released = await releaseQueued(tx, { limit: ROWS_PER_STATEMENT, workerId })
    return [...released.values()].reduce((sum, deliveries) => sum + deliveries, 0)
  })
}

/** Reads the marker, or sets a new one, and the run id of the same node: of a cluster the one that holds the jobs. */
async function readIdentity(redis: RedisClient, prefix: string): Promise<QueueIdentity> {
  const answer: unknown = await redis.eval(SCRIPT, 1, `${prefix}:marker`, randomUUID())
  const [marker, info] = Array.isArray(answer) ? answer.map(String) : []
  const runId = /^run_id:(\w+)/m.exec(info ?? '')?.[1]
  if (marker === undefined || runId === undefined) throw new Error('Redis does not report its run id')
  return { marker, runId }
}

const SCRIPT = `
local marker = redis.call('GET', KEYS[1])
if not marker then
  marker = ARGV[1]
  redis.call('SET', KEYS[1], marker)
end
return { marker, redis.call('INFO', 'server') }`
