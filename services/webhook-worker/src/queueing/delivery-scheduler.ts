import { countInFlight } from './count-in-flight.ts'
import { lockEndpoints, type LockedEndpoint } from './lock-endpoints.ts'
import { queueDueDeliveries, type QueuedDelivery } from './queue-due-deliveries.ts'
import { readDueWebhooks, type DueWebhook } from './read-due-webhooks.ts'
import { PausedUntil } from '../paused-until.ts'
import { OrderedScheduler } from './ordered-scheduler.ts'
import { pauseUntilToken, spendTokens } from './rate-tokens.ts'
import { planCapacity, SLOW_MS } from './plan-capacity.ts'
import { addJobs, isRejected, queueInTransaction, type DeliverySchedulerOptions } from './queue-transaction.ts'
import { WebhookSetLoop } from './webhook-set-loop.ts'
import { WokenWebhooks, type WokenSet } from './woken-webhooks.ts'

const WEBHOOKS_PER_STATEMENT = 200
/** At most 1,600 webhooks, 100 where each has many pending deliveries: some 20 ms of Postgres. */
const RUNS_PER_SCAN = 100
const SCAN_MAX_MS = 250
/** While no webhook has anything pending: what others make due meanwhile (a replay, a redelivery) is in no hurry. */
const SCAN_IDLE_MS = 1000
const SCAN_MIN_MS = 10
/** Deliveries of a tenant that one statement queues: about 4 ms of Postgres. */
const TENANT_NEW_MAX = 40
/** A transaction that takes longer is joined by another one. */
const LONG_MS = 5

/**
 * Moves due deliveries to BullMQ. In one transaction it locks endpoints (SKIP LOCKED), respects their limits and marks
 * deliveries as queued; then it adds jobs. If that fails the deliveries are pending again, and if this process dies in between
 * their lease brings them back. The matcher and outcomes wake it. It reads what has become due (retries,
 * probes, other processes' work) every 250 ms at most, less often when that read costs more than a twentieth of the time. Of many webhooks
 * a scan reads the next 100 to 1,600 in order of their ids, and the first ones again after the last: however many there are, none is left out.
 * While nothing is pending it reads every second. A webhook with a rate limit is served as soon as it has a token.
 *
 * Webhooks without an order are served up to 200 at a time, with 40 deliveries of a tenant, and ordered ones up to 20 at a time in
 * parallel. While a transaction takes more than 5 ms, a second one serves webhooks without a backlog of tenants that are not in it. When Postgres rejects or
 * cancels the statement of a set, the set is bisected in parallel with the work for all other webhooks, until the webhook at fault
 * is alone; that one is paused for a time that doubles up to a minute.
 */
export class DeliveryScheduler {
  readonly #o: DeliverySchedulerOptions
  /** Webhooks without a token, and those whose statement fails. At the end of its pause one is served, unless its last transaction left nothing due. */
  readonly #paused = new PausedUntil((id) => this.wakeFreed([id]))
  readonly #ordered: OrderedScheduler
  readonly #unordered = this.#loopOver('all')
  /** Serves webhooks without a backlog while a transaction of the other loop takes long. */
  readonly #parallel = this.#loopOver('not_behind')
  /** Serves parts of sets that Postgres has rejected. */
  readonly #bisecting = new WebhookSetLoop<readonly string[]>({
    canServe: () => this.#o.canEnqueue(),
    take: () => this.#rejected.shift(),
    serve: (ids) => this.#serveRejected(ids),
  })
  /** Transactions under way that have taken long. */
  #long = 0
  readonly #woken = new WokenWebhooks()
  /** Sets that Postgres has rejected as a whole, or that failed before; and the webhooks in them. */
  readonly #rejected: (readonly string[])[] = []
  readonly #bisected = new Set<string>()
  /** Webhooks whose last transaction left nothing due, since the last scan. */
  readonly #drained = new Set<string>()
  /** The webhook after which the next scan begins; undefined when it begins at the first one. */
  #scanAfter: string | undefined
  #runsMax = RUNS_PER_SCAN
  #scanTimer: NodeJS.Timeout | undefined
  #scanning: Promise<void> | undefined
  #closed = false

  constructor(o: DeliverySchedulerOptions) {
    this.#o = o
    this.#ordered = new OrderedScheduler(o, this.#paused, (id) => this.wake([id]))
    this.#scan()
  }

  /** These webhooks may have something due: they are served as soon as possible. */
  wake(webhookIds: Iterable<string>): void {
    for (const id of webhookIds) {
      this.#drained.delete(id)
      if (this.#paused.has(id)) continue
      if (this.#ordered.has(id)) this.#ordered.wake(id)
      else if (!this.#bisected.has(id)) this.#woken.add(id)
    }
    if (this.#closed || !this.#o.canEnqueue()) return
    if (this.#rejected.length > 0) this.#bisecting.run()
    if (!this.#woken.isEmpty) this.#unordered.run()
    if (!this.#woken.isEmpty && this.#long > 0) this.#parallel.run()
    this.#ordered.run()
  }

  /** These webhooks have capacity again: the ones that had more due than capacity are served. */
  wakeFreed(webhookIds: Iterable<string>): void {
    this.wake([...webhookIds].filter((id) => !this.#drained.has(id)))
  }

  /** Reads the next webhooks with due deliveries at once. */
  wakeAll(): void {
    if (!this.#closed) this.#scan()
  }

  /** Takes no more; resolves when what is under way has ended. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#scanTimer)
    await Promise.allSettled([
      this.#unordered.close(),
      this.#parallel.close(),
      this.#ordered.close(),
      this.#bisecting.close(),
      this.#scanning,
    ])
  }

  #loopOver(which: 'all' | 'not_behind'): WebhookSetLoop<WokenSet> {
    return new WebhookSetLoop({
      canServe: () => this.#o.canEnqueue(),
      take: () => this.#woken.take(WEBHOOKS_PER_STATEMENT, which),
      serve: async (set) => {
        const isServed = await this.#serveSet(set.ids)
        this.#woken.giveBack(set)
        return isServed ? 0 : undefined
      },
    })
  }

  /** False: Postgres or Redis cannot be reached now, and these webhooks are woken again. */
  async #serveSet(webhookIds: readonly string[]): Promise<boolean> {
    // What has failed alone is tried alone.
    this.#bisectInParallel(webhookIds.filter((id) => this.#paused.hasFailed(id)))
    const others = webhookIds.filter((id) => !this.#paused.hasFailed(id))
    let isLong = false
    const timer = setTimeout(() => {
      isLong = true
      this.#long += 1
      this.#parallel.run()
    }, LONG_MS)
    try {
      await this.#serve(others)
      return true
    } catch (error) {
      this.#o.log.warn({ err: error, webhooks: others.length }, 'scheduling failed')
      if (isRejected(error)) {
        this.#bisectInParallel(others)
        return true
      }
      for (const id of others) this.#woken.add(id)
      return false
    } finally {
      clearTimeout(timer)
      if (isLong) this.#long -= 1
    }
  }

  /** Serves these in halves, in parallel with everything else. */
  #bisectInParallel(ids: readonly string[]): void {
    if (ids.length === 0) return
    for (const id of ids) this.#bisected.add(id)
    this.#rejected.push(ids)
    this.#bisecting.run()
  }

  /** Serves a part of a set that was rejected; if that is rejected too its halves are next, until the webhook at fault is alone. */
  async #serveRejected(ids: readonly string[]): Promise<number | undefined> {
    let restMs: number | undefined = 0
    try {
      await this.#serve(ids)
      for (const id of ids) this.#paused.succeeded(id)
    } catch (error) {
      const [only = '', ...others] = ids
      if (isRejected(error) && others.length > 0) {
        const middle = ids.length >> 1
        this.#rejected.unshift(ids.slice(0, middle), ids.slice(middle))
        return 0
      }
      if (isRejected(error)) {
        this.#o.log.warn({ err: error, webhook: only }, 'a webhook cannot be scheduled and is paused')
        this.#paused.failed(only)
      } else {
        // Postgres or Redis is unavailable: the next scan finds these webhooks again.
        this.#o.log.warn({ err: error }, 'scheduling failed')
        restMs = undefined
      }
    }
    for (const id of ids) this.#bisected.delete(id)
    return restMs
  }

  async #serve(webhookIds: readonly string[]): Promise<void> {
    if (webhookIds.length === 0) return
    const { perTenantMax: tenantInFlightMax, leaseMs, workerId } = this.#o
    const { locked, queued, drained, tokenMs } = await queueInTransaction(this.#o, async (tx) => {
      const endpoints = await lockEndpoints(tx, { webhookIds })
      const unordered = endpoints.filter(({ ordering }) => ordering === 'none')
      const capacities = planCapacity(unordered, { ...this.#o, perTenantNewMax: TENANT_NEW_MAX })
      const room = { endpoints: capacities, tenantInFlightMax, leaseMs, workerId }
      const taken = await this.#o.shares.whileQueueing(capacities, () => queueDueDeliveries(tx, room))
      return { locked: endpoints, ...taken, tokenMs: await spendTokens(tx, endpoints, taken.queued) }
    })
    pauseUntilToken(this.#paused, tokenMs)
    const done = new Set(drained)
    for (const { webhookId, tenant } of locked) this.#woken.learn(webhookId, { tenant, isBehind: !done.has(webhookId) })
    // A webhook that was woken meanwhile has something newer than this transaction has read.
    for (const id of drained) if (!this.#woken.has(id)) this.#drained.add(id)
    const ordered = locked.filter(({ ordering }) => ordering === 'task')
    for (const { webhookId, tenant } of ordered) this.#ordered.learn(webhookId, tenant)
    this.wake([...ordered.map(({ webhookId }) => webhookId), ...stillDue(locked, queued, done)])
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
    if (!this.#o.canEnqueue()) return SCAN_MAX_MS
    const startedAt = performance.now()
    try {
      const { webhooks, next } = await readDueWebhooks(this.#o.pool, { after: this.#scanAfter, runsMax: this.#runsMax })
      this.#scanAfter = next
      this.#runsMax = RUNS_PER_SCAN
      if (webhooks.length === 0 && next === undefined) return SCAN_IDLE_MS
      const { pool, shares, deadMs } = this.#o
      await shares.recount(() => countInFlight(pool, { slowMs: SLOW_MS, deadMs }))
      const due = webhooks.filter((one) => one.dueInMs === 0)
      for (const { webhookId, tenant, ordering } of due) {
        if (ordering === 'task') this.#ordered.learn(webhookId, tenant)
      }
      this.wake(due.map((one) => one.webhookId))
      const tookMs = performance.now() - startedAt
      return Math.max(SCAN_MIN_MS, next === undefined ? soonestMs(webhooks) : 0, 20 * tookMs)
    } catch (error) {
      this.#o.log.warn({ err: error, runs: this.#runsMax }, 'reading due deliveries failed')
      if (isRejected(error)) this.#runsMax = Math.max(1, this.#runsMax >> 1)
      return 1000
    }
  }
}

/** Until the next of these webhooks is due, ms. */
function soonestMs(webhooks: readonly DueWebhook[]): number {
  const later = webhooks.filter((one) => one.dueInMs > 0)
  return later.reduce((least, one) => Math.min(least, one.dueInMs), SCAN_MAX_MS)
}

/** Webhooks with more that is due, of tenants of which the statement has queued as much as it may: they are served again at once. */
function stillDue(
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
