import { backoffMs, bisect, sleep } from '@ariftly/async'
import {
  countInFlight,
  lockEndpoints,
  queueDueDeliveries,
  readDueWebhooks,
  type LockedEndpoint,
  type QueuedDelivery,
} from '@ariftly/store/deliveries'
import { SetAside } from '../set-aside.ts'
import { OrderedScheduler } from './ordered-scheduler.ts'
import { planCapacity, SLOW_MS } from './plan-capacity.ts'
import {
  addJobs,
  isRejected,
  queueInTransaction,
  spendTokens,
  type DeliverySchedulerOptions,
} from './schedule-parts.ts'
import { TokenWaits } from './token-waits.ts'
import { WokenWebhooks } from './woken-webhooks.ts'
import { WorkLoop } from './work-loop.ts'

const WEBHOOKS_PER_STATEMENT = 200
const SCAN_MS_MAX = 250
/** While no webhook has anything pending: what others make due meanwhile (a replay, a redelivery) is in no hurry. */
const SCAN_MS_CALM = 1000
const SCAN_MS_MIN = 10
/** Deliveries of a tenant that one statement queues: about 4 ms of Postgres. */
const TENANT_NEW_MAX = 40
/** A transaction that takes longer is joined by another one. */
const LONG_MS = 5

/**
 * Moves due deliveries to BullMQ. In one transaction it locks endpoints (SKIP LOCKED), respects their limits and marks
 * deliveries as queued; then it adds jobs. If that fails the deliveries are pending again, and if this process dies in between
 * their lease brings them back. It is woken by the matcher and by outcomes, and looks by itself for what has become due
 * (retries, probes, other processes' work) every 250 ms at most, less often when that look costs more than a twentieth of
 * the time, and every second while nothing is pending. A webhook with a rate limit is looked at as soon as it has a token.
 *
 * Webhooks without an order are served up to 200 at a time, with 40 deliveries of a tenant, and ordered ones up to 20 at a time beside
 * them. While a transaction takes more than 5 ms, a second one serves webhooks without a backlog of tenants that are not in it. When Postgres rejects or
 * cancels the statement of a set, the set is bisected beside the work for all other webhooks, until the webhook at fault
 * stands alone; that one is left alone for a time that doubles up to a minute.
 */
export class DeliveryScheduler {
  readonly #o: DeliverySchedulerOptions
  readonly #setAside = new SetAside()
  /** A webhook that has a token again is looked at, unless its last look left nothing due. */
  readonly #tokenWaits = new TokenWaits((id) => this.wakeFreed([id]))
  readonly #ordered: OrderedScheduler
  readonly #unordered = new WorkLoop((signal) => this.#serveWoken('all', signal))
  /** Serves webhooks without a backlog while a transaction of the other loop takes long. */
  readonly #beside = new WorkLoop((signal) => this.#serveWoken('not_behind', signal))
  /** Transactions under way that have taken long. */
  #long = 0
  readonly #woken = new WokenWebhooks()
  readonly #bisected = new Set<string>()
  /** Webhooks whose last look left nothing due, since the last scan. */
  readonly #drained = new Set<string>()
  #bisecting = Promise.resolve()
  #scanTimer: NodeJS.Timeout | undefined
  #scanning: Promise<void> | undefined
  #closed = false

  constructor(o: DeliverySchedulerOptions) {
    this.#o = o
    this.#ordered = new OrderedScheduler(o, this.#setAside, this.#tokenWaits, (id) => this.wake([id]))
    this.#scan()
  }

  /** These webhooks may have something due: they are looked at as soon as possible. */
  wake(webhookIds: Iterable<string>): void {
    for (const id of webhookIds) {
      this.#drained.delete(id)
      if (this.#tokenWaits.has(id)) continue
      if (this.#ordered.has(id)) this.#ordered.wake(id)
      else if (!this.#bisected.has(id) && !this.#setAside.rests(id)) this.#woken.add(id)
    }
    if (this.#closed || !this.#o.canEnqueue()) return
    if (!this.#woken.isEmpty) this.#unordered.run()
    if (!this.#woken.isEmpty && this.#long > 0) this.#beside.run()
    this.#ordered.run()
  }

  /** These webhooks have capacity again: those are looked at that had more due than they had capacity for. */
  wakeFreed(webhookIds: Iterable<string>): void {
    this.wake([...webhookIds].filter((id) => !this.#drained.has(id)))
  }

  /** Everything is looked at again. */
  wakeAll(): void {
    if (!this.#closed) this.#scan()
  }

  /** Takes no more; resolves when what is under way has ended. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#scanTimer)
    await Promise.allSettled([
      this.#unordered.close(),
      this.#beside.close(),
      this.#ordered.close(),
      this.#bisecting,
      this.#scanning,
    ])
    this.#tokenWaits.close()
  }

  async #serveWoken(which: 'all' | 'not_behind', signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted && this.#o.canEnqueue();) {
      const set = this.#woken.take(WEBHOOKS_PER_STATEMENT, which)
      if (set.ids.length === 0) return
      const isServed = await this.#serveSet(set.ids)
      this.#woken.giveBack(set)
      if (isServed) failures = 0
      else await sleep(backoffMs(failures++, { maxMs: 1000 }), signal)
    }
  }

  /** False: Postgres or Redis cannot be reached now, and these webhooks are woken again. */
  async #serveSet(webhookIds: readonly string[]): Promise<boolean> {
    // What has failed alone is tried alone.
    this.#bisectBeside(webhookIds.filter((id) => this.#setAside.has(id)))
    const others = webhookIds.filter((id) => !this.#setAside.has(id))
    let isLong = false
    const timer = setTimeout(() => {
      isLong = true
      this.#long += 1
      this.#beside.run()
    }, LONG_MS)
    try {
      await this.#serve(others)
      return true
    } catch (error) {
      this.#o.log.warn({ err: error, webhooks: others.length }, 'scheduling failed')
      if (isRejected(error)) {
        this.#bisectBeside(others)
        return true
      }
      for (const id of others) this.#woken.add(id)
      return false
    } finally {
      clearTimeout(timer)
      if (isLong) this.#long -= 1
    }
  }

  /** Serves these in halves beside everything else, one such set at a time. */
  #bisectBeside(ids: readonly string[]): void {
    if (ids.length === 0) return
    for (const id of ids) this.#bisected.add(id)
    this.#bisecting = this.#bisecting.then(() => this.#bisect(ids))
  }

  async #bisect(ids: readonly string[]): Promise<void> {
    try {
      await bisect(ids, {
        attempt: (some) => this.#serveUnlessRejected(some),
        onRefused: (id) => {
          this.#o.log.warn({ webhook: id }, 'a webhook cannot be scheduled and is left alone for a while')
          this.#setAside.failed(id)
        },
      })
    } catch (error) {
      // Postgres or Redis is away: the next scan finds these webhooks again.
      this.#o.log.warn({ err: error }, 'scheduling failed')
    }
    for (const id of ids) this.#bisected.delete(id)
  }

  async #serveUnlessRejected(ids: readonly string[]): Promise<boolean> {
    if (this.#closed) return true
    try {
      await this.#serve(ids)
    } catch (error) {
      if (isRejected(error)) return false
      throw error
    }
    for (const id of ids) this.#setAside.succeeded(id)
    return true
  }

  async #serve(webhookIds: readonly string[]): Promise<void> {
    if (webhookIds.length === 0) return
    const { perTenantMax: tenantInFlightMax, leaseMs, workerId } = this.#o
    const { locked, queued, drained, waits } = await queueInTransaction(this.#o, async (tx) => {
      const endpoints = await lockEndpoints(tx, { webhookIds })
      const unordered = endpoints.filter(({ ordering }) => ordering === 'none')
      const capacities = planCapacity(unordered, { ...this.#o, perTenantNewMax: TENANT_NEW_MAX })
      const room = { endpoints: capacities, tenantInFlightMax, leaseMs, workerId }
      const taken = await queueDueDeliveries(tx, room)
      return { locked: endpoints, ...taken, waits: await spendTokens(tx, endpoints, taken.queued) }
    })
    this.#tokenWaits.add(waits)
    const done = new Set(drained)
    for (const { webhookId, tenant } of locked) this.#woken.learn(webhookId, { tenant, isBehind: !done.has(webhookId) })
    // What was woken meanwhile has something newer than this look has seen.
    for (const id of drained) if (!this.#woken.has(id)) this.#drained.add(id)
    const ordered = locked.filter(({ ordering }) => ordering === 'task')
    for (const { webhookId, tenant } of ordered) this.#ordered.learn(webhookId, tenant)
    this.wake([...ordered.map(({ webhookId }) => webhookId), ...cutShort(locked, queued, done)])
    await addJobs(this.#o, locked, queued)
  }

  #scan(): void {
    clearTimeout(this.#scanTimer)
    this.#scanning ??= this.#scanOnce().then((waitMs) => {
      this.#scanning = undefined
      if (!this.#closed) this.#scanTimer = setTimeout(() => this.#scan(), waitMs)
      return undefined
    })
  }

  async #scanOnce(): Promise<number> {
    this.#drained.clear()
    if (!this.#o.canEnqueue()) return SCAN_MS_MAX
    const startedAt = performance.now()
    try {
      const pending = await readDueWebhooks(this.#o.pool)
      if (pending.length === 0) return SCAN_MS_CALM
      this.#o.shares.update(await countInFlight(this.#o.pool, { slowMs: SLOW_MS, deadMs: this.#o.deadMs }))
      const later = pending.filter((one) => one.dueInMs > 0)
      const soonest = later.reduce((least, one) => Math.min(least, one.dueInMs), SCAN_MS_MAX)
      const due = pending.filter((one) => one.dueInMs === 0)
      for (const { webhookId, tenant, ordering } of due) {
        if (ordering === 'task') this.#ordered.learn(webhookId, tenant)
      }
      this.wake(due.map((one) => one.webhookId))
      return Math.max(SCAN_MS_MIN, soonest, 20 * (performance.now() - startedAt))
    } catch (error) {
      this.#o.log.warn({ err: error }, 'looking for due deliveries failed')
      return 1000
    }
  }
}

/** Webhooks with more that is due, of tenants of which the statement has queued as much as it may: they have another look at once. */
function cutShort(
  locked: readonly LockedEndpoint[],
  queued: readonly QueuedDelivery[],
  drained: ReadonlySet<string>,
): readonly string[] {
  if (queued.length < TENANT_NEW_MAX) return []
  const tenants = new Map(locked.map(({ webhookId, tenant }) => [webhookId, tenant]))
  const counts = new Map<string, number>()
  for (const { webhookId } of queued) {
    const tenant = tenants.get(webhookId) ?? ''
    counts.set(tenant, (counts.get(tenant) ?? 0) + 1)
  }
  return locked
    .filter(({ webhookId, tenant, ordering }) => {
      return ordering === 'none' && !drained.has(webhookId) && (counts.get(tenant) ?? 0) >= TENANT_NEW_MAX
    })
    .map(({ webhookId }) => webhookId)
}
