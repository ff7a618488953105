import { TurnQueue } from '@ariftly/fairness'
import { lockEndpoints, type LockedEndpoint } from './lock-endpoints.ts'
import { queueOrderedDeliveries, type OrderedQueued } from './queue-ordered-deliveries.ts'
import type { QueuedDelivery } from './queue-due-deliveries.ts'
import type { PausedUntil } from '../paused-until.ts'
import { pauseUntilToken, spendTokens } from './rate-tokens.ts'
import { planCapacity } from './plan-capacity.ts'
import { addJobs, isRejected, queueInTransaction, type DeliverySchedulerOptions } from './queue-transaction.ts'
import { WebhookSetLoop } from './webhook-set-loop.ts'

/** Tasks that one statement scans. */
const KEYS_PER_STATEMENT = 300
const WEBHOOKS_PER_STATEMENT = 20
/** Between two scans of many tasks that all wait. */
const PAUSE_MS_MIN = 250
/** Pause after a statement while more webhooks wait for their turn, as a multiple of its duration. */
const PAUSE_FACTOR = 2
/** More are forgotten, and learnt again: a bound on memory. */
const KNOWN_MAX = 100_000

/** State of an ordered webhook. */
interface OrderedWebhook {
  readonly tenant: string
  /** Whether it waits for a turn. */
  woken: boolean
  /** Whether its next statement is for it alone: it has many tasks that wait, or Postgres has rejected a statement for several. */
  alone: boolean
  /** Where its next scan begins; empty at its first task. */
  nextKey: string
}

/** Findings of one statement, by webhook; none for webhooks without capacity, or that another scheduler holds. */
interface Found {
  readonly locked: readonly LockedEndpoint[]
  readonly scans: ReadonlyMap<string, OrderedQueued>
  /** Deliveries that all scans have queued. */
  readonly queued: readonly QueuedDelivery[]
  readonly tokenMs: ReadonlyMap<string, number>
}

/**
 * Schedules webhooks with `ordering: task`, up to 20 at a time, tenants taking turns. A statement scans at most 300 tasks, shared among its webhooks.
 * A webhook that needs more gets a statement of its own with all 300, which continues where the last one ended. So the cost does not grow with the backlog.
 * While more wait, the loop pauses for twice the time of a statement: what was queued is sent at once and needs the processors. When Postgres rejects a statement for several webhooks, each of them has one of its own.
 */
export class OrderedScheduler {
  readonly #o: DeliverySchedulerOptions
  readonly #paused: PausedUntil
  /** Called with a webhook that has no order any more. */
  readonly #onUnordered: (webhookId: string) => void
  readonly #webhooks = new Map<string, OrderedWebhook>()
  readonly #turns = new TurnQueue<string>()
  readonly #turnsAlone = new TurnQueue<string>()
  readonly #loop: WebhookSetLoop<ReadonlyMap<string, OrderedWebhook>>
  /** Whether the next set is of one webhook alone: both kinds take turns. */
  #isAloneNext = false

  constructor(o: DeliverySchedulerOptions, paused: PausedUntil, onUnordered: (webhookId: string) => void) {
    this.#o = o
    this.#paused = paused
    this.#onUnordered = onUnordered
    this.#loop = new WebhookSetLoop({
      canServe: o.canEnqueue,
      take: () => this.#takeNext(),
      serve: (webhooks) => this.#serve(webhooks),
    })
  }

  /** Whether the webhook was ordered when it was last seen. */
  has(webhookId: string): boolean {
    return this.#webhooks.has(webhookId)
  }

  learn(webhookId: string, tenant: string): void {
    if (this.#webhooks.has(webhookId)) return
    if (this.#webhooks.size >= KNOWN_MAX) this.#webhooks.clear()
    this.#webhooks.set(webhookId, { tenant, woken: false, alone: false, nextKey: '' })
  }

  /** Gives a known webhook a turn, unless it is paused. */
  wake(webhookId: string): void {
    const webhook = this.#webhooks.get(webhookId)
    if (webhook === undefined || webhook.woken || this.#paused.has(webhookId)) return
    webhook.woken = true
    const turns = webhook.alone ? this.#turnsAlone : this.#turns
    turns.add(webhook.tenant, webhookId)
  }

  run(): void {
    if (this.#isWaitedFor) this.#loop.run()
  }

  async close(): Promise<void> {
    await this.#loop.close()
  }

  get #isWaitedFor(): boolean {
    return !this.#turns.isEmpty || !this.#turnsAlone.isEmpty
  }

  /** Several webhooks, then one alone, and so on. */
  #takeNext(): ReadonlyMap<string, OrderedWebhook> | undefined {
    this.#isAloneNext = !this.#isAloneNext
    for (const isAlone of [this.#isAloneNext, !this.#isAloneNext]) {
      const taken = isAlone ? this.#take(this.#turnsAlone, 1) : this.#take(this.#turns, WEBHOOKS_PER_STATEMENT)
      if (taken.size > 0) return taken
    }
    return undefined
  }

  #take(turns: TurnQueue<string>, max: number): Map<string, OrderedWebhook> {
    const taken = new Map<string, OrderedWebhook>()
    while (taken.size < max) {
      const id = turns.take()
      if (id === undefined) break
      const webhook = this.#webhooks.get(id)
      if (webhook === undefined) continue
      webhook.woken = false
      taken.set(id, webhook)
    }
    return taken
  }

  /** Undefined: Postgres or Redis cannot be reached now, and these webhooks have a turn again. */
  async #serve(webhooks: ReadonlyMap<string, OrderedWebhook>): Promise<number | undefined> {
    const startedMs = performance.now()
    try {
      await this.#serveTogether(webhooks)
      for (const id of webhooks.keys()) this.#paused.succeeded(id)
    } catch (error) {
      this.#o.log.warn({ err: error, webhooks: [...webhooks.keys()] }, 'scheduling failed')
      const rejected = isRejected(error)
      for (const [id, webhook] of webhooks) {
        if (rejected && webhook.alone) this.#paused.failed(id)
        if (rejected) webhook.alone = true
        this.wake(id)
      }
      if (!rejected) return undefined
    }
    return this.#isWaitedFor ? PAUSE_FACTOR * (performance.now() - startedMs) : 0
  }

  async #serveTogether(webhooks: ReadonlyMap<string, OrderedWebhook>): Promise<void> {
    const startedMs = performance.now()
    const { locked, scans, queued, tokenMs } = await this.#queue(webhooks)
    pauseUntilToken(this.#paused, tokenMs)
    const unordered = locked.filter(({ ordering }) => ordering === 'none').map(({ webhookId }) => webhookId)
    for (const id of unordered) this.#webhooks.delete(id)
    const tookMs = performance.now() - startedMs
    const again = [...webhooks].filter(([id, webhook]) => this.#moveOn(id, webhook, scans.get(id), tookMs))
    await addJobs(this.#o, locked, queued)
    for (const [id] of again) this.wake(id)
    for (const id of unordered) this.#onUnordered(id)
  }

  /** Notes where the next scan of a webhook begins, and returns whether that is to be at once. */
  #moveOn(id: string, webhook: OrderedWebhook, scan: OrderedQueued | undefined, tookMs: number): boolean {
    const { alone, nextKey: fromKey } = webhook
    webhook.alone = false
    if (scan === undefined) return false
    webhook.nextKey = scan.nextKey
    // The scan began behind the first task and reached the end: the tasks before are scanned too.
    if (fromKey !== '' && scan.nextKey === '') return true
    if (!scan.cut) return false
    webhook.alone = true
    // Many tasks that all wait make a costly scan: no other one at once, even when the webhook is woken.
    if (alone && scan.queued.length === 0) this.#paused.pause(id, Math.max(PAUSE_MS_MIN, 20 * tookMs))
    return !alone
  }

  async #queue(webhooks: ReadonlyMap<string, OrderedWebhook>): Promise<Found> {
    const { perTenantMax: tenantInFlightMax, leaseMs, workerId } = this.#o
    return await queueInTransaction(this.#o, async (tx) => {
      const locked = await lockEndpoints(tx, { webhookIds: [...webhooks.keys()] })
      const ordered = locked.filter(({ ordering }) => ordering === 'task')
      const capacities = planCapacity(ordered, this.#o)
      const ranges = capacities.map((endpoint) => {
        return { endpoint, fromKey: webhooks.get(endpoint.webhookId)?.nextKey ?? '' }
      })
      const keysMax = Math.floor(KEYS_PER_STATEMENT / webhooks.size)
      const { scans, queued } = await this.#o.shares.whileQueueing(capacities, async () => {
        const found = await queueOrderedDeliveries(tx, { ranges, keysMax, tenantInFlightMax, leaseMs, workerId })
        return { scans: found, queued: Array.from(found.values(), (scan) => scan.queued).flat() }
      })
      return { locked, scans, queued, tokenMs: await spendTokens(tx, ordered, queued) }
    })
  }
}
