import { retryForever, type Logger } from '@ariftly/runtime'
import { sqlState, withTransaction, type Pool, type Transaction } from '@ariftly/store'
import { unqueueDeliveries, type AttemptRef } from './unqueue-deliveries.ts'
import type { LockedEndpoint } from './lock-endpoints.ts'
import type { QueuedDelivery } from './queue-due-deliveries.ts'
import { priorityOf } from './plan-capacity.ts'
import type { DeliveryPriority } from './capacity.ts'
import type { TenantShares } from './tenant-shares.ts'

/** Dependencies of scheduling. */
export interface DeliverySchedulerOptions {
  /** A pool of its own, whose statements end after a short time. */
  readonly pool: Pool
  /** Adds jobs; rejects when the queue cannot be reached. */
  readonly enqueue: (priority: DeliveryPriority, refs: readonly AttemptRef[]) => Promise<void>
  /** False while the queue cannot be reached: nothing is taken then. */
  readonly canEnqueue: () => boolean
  /** Queued deliveries of an endpoint, attempts under way included, over all workers. */
  readonly perEndpointMax: number
  readonly perTenantMax: number
  readonly shares: TenantShares
  /** A worker without a heartbeat for this long is dead, and its slots do not count. */
  readonly deadMs: number
  readonly leaseMs: number
  /** UUID of this worker. */
  readonly workerId: string
  readonly onQueued: (priority: DeliveryPriority, count: number) => void
  /** Ends what is tried again in the background. */
  readonly signal: AbortSignal
  readonly log: Pick<Logger, 'warn'>
}

/**
 * Runs a transaction that queues deliveries. It rejects also when the answer to its commit is lost; what it may have queued, for which
 * there is no job then, is pending again.
 */
export async function queueInTransaction<T extends { readonly queued: readonly QueuedDelivery[] }>(
  o: Pick<DeliverySchedulerOptions, 'pool' | 'signal' | 'log'>,
  queue: (tx: Transaction) => Promise<T>,
): Promise<T> {
  let queued: readonly QueuedDelivery[] = []
  try {
    return await withTransaction(o.pool, async (tx) => {
      const found = await queue(tx)
      queued = found.queued
      return found
    })
  } catch (error) {
    await unqueue(o, queued)
    throw error
  }
}

/** Adds a job for each queued delivery. If that fails the deliveries are pending again, and it rejects. */
export async function addJobs(
  o: Pick<DeliverySchedulerOptions, 'pool' | 'enqueue' | 'onQueued' | 'signal' | 'log'>,
  endpoints: readonly LockedEndpoint[],
  queued: readonly QueuedDelivery[],
): Promise<void> {
  const byId = new Map(endpoints.map((endpoint) => [endpoint.webhookId, endpoint]))
  const refs: Record<DeliveryPriority, QueuedDelivery[]> = { healthy: [], unhealthy: [] }
  for (const one of queued) {
    const endpoint = byId.get(one.webhookId)
    if (endpoint !== undefined) refs[priorityOf(endpoint)].push(one)
  }
  await Promise.all([add('healthy'), add('unhealthy')])

  async function add(priority: DeliveryPriority): Promise<void> {
    if (refs[priority].length === 0) return
    try {
      await o.enqueue(priority, refs[priority])
      o.onQueued(priority, refs[priority].length)
    } catch (error) {
      await unqueue(o, refs[priority])
      throw error
    }
  }
}

/**
 * Makes deliveries pending again that have no job. Where Postgres does not take it, it is tried again in parallel with all other work: they
 * would wait for the end of their lease, ten minutes.
 */
async function unqueue(
  { pool, signal, log }: Pick<DeliverySchedulerOptions, 'pool' | 'signal' | 'log'>,
  refs: readonly AttemptRef[],
): Promise<void> {
  const attempt = (): Promise<number> => unqueueDeliveries(pool, refs)
  try {
    await attempt()
  } catch (error) {
    log.warn({ err: error, deliveries: refs.length }, 'deliveries without a job cannot be made pending yet')
    void retryForever(attempt, { signal })
  }
}

/** Connection, authorization, resources, shut-down, not migrated: nothing that fewer webhooks would change. */
const UNAVAILABLE = /^(?:08|28|3D|53|57P)|^42P01$/

/** Whether Postgres rejected, cancelled or timed out the statement itself, so that a part of it may succeed. */
export function isRejected(error: unknown): boolean {
  const state = sqlState(error)
  return state !== undefined && !UNAVAILABLE.test(state)
}
