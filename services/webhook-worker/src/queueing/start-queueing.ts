import { sleep } from '@ariftly/async'
import { redisConnection, type Backend } from '@ariftly/runtime'
import { LEASE_MS, type DeliveryPriority } from './capacity.ts'
import { DeliveryScheduler } from './delivery-scheduler.ts'
import { openJobQueue, type JobQueue } from './job-queue.ts'
import type { TenantShares } from './tenant-shares.ts'
import type { AttemptRef } from './unqueue-deliveries.ts'
import type { WorkerParts } from '../worker-parts.ts'

/** Dependencies of queueing. */
export interface QueueingOptions extends WorkerParts {
  readonly redis: Backend
  /** Attempts under way at the same time in this process. */
  readonly concurrency: Readonly<Record<DeliveryPriority, number>>
  readonly shares: TenantShares
  /** Makes the attempts of jobs. */
  readonly attempting: {
    readonly make: (ref: AttemptRef) => Promise<void>
    readonly stop: () => void
    readonly cut: () => Promise<void>
  }
}

/** Due deliveries to BullMQ, and its jobs to attempts. */
export interface Queueing {
  readonly queue: Pick<JobQueue, 'active' | 'opened' | 'producer' | 'state'>
  /** Takes no more; resolves when what is under way has ended, at the latest after `timeoutMs`. */
  readonly drain: (timeoutMs: number) => Promise<void>
}

/** Attempts that are still under way this long after the worker began to close are cut and given back. */
const CUT_MS_MAX = 2000

/**
 * Starts it. Postgres is the truth; Redis may be unavailable at any time and is waited for. Rejects with Fault `redis_policy` when
 * Redis may evict jobs. What it opens is released last-in first-out: scheduling ends, attempts are cut, the queue is closed.
 */
export async function startQueueing(o: QueueingOptions): Promise<Queueing> {
  const { config, attempting, wakeups, signal, releasers, log } = o
  const queue = await openJobQueue({
    redis: redisConnection(config),
    prefix: config.BULLMQ_PREFIX,
    concurrency: o.concurrency,
    process: attempting.make,
    onReady: wakeups.wakeAll,
    signal,
    log,
  })
  releasers.add('queue', () => queue.close())
  releasers.add(
    'watch of Redis',
    o.redis.watch(() => queue.ping()),
  )
  releasers.add('attempts', async () => {
    attempting.stop()
    queue.pause()
    await attempting.cut()
    await settled(() => queue.active === 0, CUT_MS_MAX)
  })
  const scheduler = new DeliveryScheduler({
    pool: o.pools.scheduling,
    enqueue: (priority, refs) => queue.add(priority, refs),
    canEnqueue: () => queue.ready,
    perEndpointMax: config.WEBHOOK_PER_ENDPOINT,
    perTenantMax: config.WEBHOOK_PER_TENANT,
    shares: o.shares,
    deadMs: config.WEBHOOK_WORKER_DEAD_MS,
    leaseMs: LEASE_MS,
    workerId: o.workerId,
    onQueued: o.metrics.queued,
    signal,
    log,
  })
  releasers.add('scheduler', () => scheduler.close())
  wakeups.listen(scheduler)

  async function drain(timeoutMs: number): Promise<void> {
    attempting.stop()
    queue.pause()
    await Promise.all([scheduler.close(), settled(() => queue.active === 0, timeoutMs)])
  }

  return { queue, drain }
}

async function settled(done: () => boolean, timeoutMs: number): Promise<void> {
  const until = performance.now() + timeoutMs
  while (!done() && performance.now() < until) await sleep(20)
}
