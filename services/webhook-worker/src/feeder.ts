import { backoffMs, type Logger } from '@ariftly/runtime'
import { withTransaction, type Pool } from '@ariftly/store'
import {
  lockEndpoints,
  queueDueDeliveries,
  readDueWebhooks,
  spendRateTokens,
  unqueueDeliveries,
  type AttemptRef,
} from '@ariftly/store/deliveries'
import { laneOf, planRooms, type Lane } from './feed-plan.ts'

/** What the feeder needs. */
export interface FeederOptions {
  readonly pool: Pool
  /** Adds jobs; rejects when the queue cannot be reached. */
  readonly enqueue: (lane: Lane, refs: readonly AttemptRef[]) => Promise<void>
  /** False while the queue cannot be reached: nothing is taken then. */
  readonly canEnqueue: () => boolean
  /** Queued and attempting deliveries of an endpoint, over all workers. */
  readonly perEndpointMax: number
  readonly perTenantMax: number
  readonly leaseMs: number
  readonly onQueued: (lane: Lane, count: number) => void
  readonly log: Pick<Logger, 'warn'>
}

/** Moves due deliveries into the queue. */
export interface Feeder {
  /** These webhooks may have something due, or places free: looked at as soon as possible. */
  readonly wake: (webhookIds: Iterable<string>) => void
  /** Everything is looked at again. */
  readonly wakeAll: () => void
  /** Takes no more; resolves when what is under way has ended. */
  readonly close: () => Promise<void>
}

const WEBHOOKS_PER_FEED = 200
const SCAN_MS_MAX = 250
/** While no webhook has anything pending: what others may make due meanwhile (a replay, a redelivery) is in no hurry. */
const SCAN_MS_CALM = 1000
const SCAN_MS_MIN = 10

/**
 * Starts the only one who enqueues. In one transaction it locks endpoints (those that another feeder holds are passed
 * over), counts what they have in flight, and takes what is due up to their room; then jobs are added. If that fails the
 * deliveries are given back, and if this process dies in between their lease ends. It is woken by the matcher and by
 * outcomes, and looks by itself for what has become due (retries, probes, other processes' work) every 250 ms at most,
 * less often when that look costs more than a twentieth of the time, and every second while nothing is pending at all.
 */
export function startFeeder(o: FeederOptions): Feeder {
  const woken = new Set<string>()
  let feeding: Promise<void> | undefined
  let scanTimer: NodeJS.Timeout | undefined
  let scanning: Promise<void> | undefined
  let closed = false
  let failures = 0
  scan()

  function wake(webhookIds: Iterable<string>): void {
    for (const id of webhookIds) woken.add(id)
    if (feeding !== undefined || !canFeed()) return
    feeding = feedAll().then(() => {
      feeding = undefined
      return wake([])
    })
  }

  function wakeAll(): void {
    if (!closed) scan()
  }

  async function feedAll(): Promise<void> {
    while (canFeed()) {
      const ids = [...woken].slice(0, WEBHOOKS_PER_FEED)
      for (const id of ids) woken.delete(id)
      try {
        await feed(ids)
        failures = 0
      } catch (error) {
        for (const id of ids) woken.add(id)
        o.log.warn({ err: error }, 'feeding failed')
        await pause(backoffMs(failures++, { maxMs: 1000 }))
      }
    }
  }

  function canFeed(): boolean {
    return woken.size > 0 && !closed && o.canEnqueue()
  }

  async function feed(webhookIds: readonly string[]): Promise<void> {
    const lanes = await withTransaction(o.pool, async (tx) => {
      const endpoints = await lockEndpoints(tx, { webhookIds })
      const queued = await queueDueDeliveries(tx, {
        endpoints: planRooms(endpoints, o),
        tenantInFlightMax: o.perTenantMax,
        leaseMs: o.leaseMs,
      })
      const limited = new Map(endpoints.filter(({ tokens }) => tokens !== null).map(({ webhookId }) => [webhookId, 0]))
      const suspects = new Set(endpoints.filter((one) => laneOf(one) === 'suspect').map((one) => one.webhookId))
      const byLane: Record<Lane, AttemptRef[]> = { fast: [], suspect: [] }
      for (const { webhookId, deliveryId, attempt } of queued) {
        const spent = limited.get(webhookId)
        if (spent !== undefined) limited.set(webhookId, spent + 1)
        byLane[suspects.has(webhookId) ? 'suspect' : 'fast'].push({ deliveryId, attempt })
      }
      await spendRateTokens(tx, { spent: new Map([...limited].filter(([, spent]) => spent > 0)) })
      return byLane
    })
    await Promise.all([add('fast', lanes.fast), add('suspect', lanes.suspect)])
  }

  async function add(lane: Lane, refs: readonly AttemptRef[]): Promise<void> {
    if (refs.length === 0) return
    try {
      await o.enqueue(lane, refs)
      o.onQueued(lane, refs.length)
    } catch (error) {
      await unqueueDeliveries(o.pool, refs)
      throw error
    }
  }

  function scan(): void {
    clearTimeout(scanTimer)
    scanning ??= scanOnce().then((waitMs) => {
      scanning = undefined
      if (!closed) scanTimer = setTimeout(scan, waitMs)
      return undefined
    })
  }

  async function scanOnce(): Promise<number> {
    if (!o.canEnqueue()) return SCAN_MS_MAX
    const startedAt = performance.now()
    try {
      const due = await readDueWebhooks(o.pool)
      if (due.length === 0) return SCAN_MS_CALM
      const soonest = Math.min(SCAN_MS_MAX, ...due.filter((one) => one.dueInMs > 0).map((one) => one.dueInMs))
      wake(due.filter((one) => one.dueInMs === 0).map((one) => one.webhookId))
      return Math.max(SCAN_MS_MIN, soonest, 20 * (performance.now() - startedAt))
    } catch (error) {
      o.log.warn({ err: error }, 'looking for due deliveries failed')
      return 1000
    }
  }

  async function close(): Promise<void> {
    closed = true
    clearTimeout(scanTimer)
    await Promise.allSettled([feeding, scanning])
  }

  return { wake, wakeAll, close }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
