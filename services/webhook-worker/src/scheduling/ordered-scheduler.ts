import { backoffMs, sleep, TurnQueue } from '@ariftly/async'
import { withTransaction } from '@ariftly/store'
import { lockEndpoints, queueOrderedDeliveries, spendRateTokens } from '@ariftly/store/deliveries'
import { planCapacity } from './plan-capacity.ts'
import { addJobs, countLimited, isRejected, type DeliverySchedulerOptions } from './schedule-parts.ts'
import type { SetAside } from './set-aside.ts'
import { WorkLoop } from './work-loop.ts'

/** Tasks of a webhook that one statement looks at. */
const KEYS_PER_STATEMENT = 300
/** Between two looks at many tasks that all wait. */
const REST_MS_MIN = 250

/** What is known of an ordered webhook. */
interface OrderedWebhook {
  readonly tenant: string
  /** Whether it has a turn to come. */
  woken: boolean
  /** Where its next scan begins; empty at its first task. */
  nextKey: string
  restsUntilMs: number
}

/**
 * Schedules webhooks with `ordering: task`, one at a time, tenants taking turns. Each scan looks at a bounded number of tasks
 * and continues where the last one ended, so its cost does not grow with the backlog.
 */
export class OrderedScheduler {
  readonly #o: DeliverySchedulerOptions
  readonly #setAside: SetAside
  /** Called with a webhook that is no longer ordered. */
  readonly #onUnordered: (webhookId: string) => void
  readonly #webhooks = new Map<string, OrderedWebhook>()
  readonly #turns = new TurnQueue<string>()
  readonly #loop = new WorkLoop((signal) => this.#serve(signal))

  constructor(o: DeliverySchedulerOptions, setAside: SetAside, onUnordered: (webhookId: string) => void) {
    this.#o = o
    this.#setAside = setAside
    this.#onUnordered = onUnordered
  }

  /** Whether the webhook was ordered when it was last seen. */
  has(webhookId: string): boolean {
    return this.#webhooks.has(webhookId)
  }

  learn(webhookId: string, tenant: string): void {
    if (!this.#webhooks.has(webhookId)) {
      this.#webhooks.set(webhookId, { tenant, woken: false, nextKey: '', restsUntilMs: 0 })
    }
  }

  /** Gives a known webhook a turn, unless it rests. */
  wake(webhookId: string): void {
    const webhook = this.#webhooks.get(webhookId)
    if (webhook === undefined || webhook.woken || this.#setAside.rests(webhookId)) return
    if (webhook.restsUntilMs > performance.now()) return
    webhook.woken = true
    this.#turns.add(webhook.tenant, webhookId)
  }

  run(): void {
    if (!this.#turns.isEmpty) this.#loop.run()
  }

  async close(): Promise<void> {
    await this.#loop.close()
  }

  async #serve(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted && this.#o.canEnqueue();) {
      const id = this.#turns.take()
      const webhook = id === undefined ? undefined : this.#webhooks.get(id)
      if (id === undefined || webhook === undefined) return
      webhook.woken = false
      try {
        await this.#serveOne(id, webhook)
        this.#setAside.succeeded(id)
        failures = 0
      } catch (error) {
        this.#o.log.warn({ err: error, webhook: id }, 'scheduling failed')
        if (isRejected(error)) this.#setAside.failed(id)
        else {
          this.wake(id)
          await sleep(backoffMs(failures++, { maxMs: 1000 }), signal)
        }
      }
    }
  }

  async #serveOne(id: string, webhook: OrderedWebhook): Promise<void> {
    const startedMs = performance.now()
    const { nextKey: fromKey } = webhook
    const { endpoint, queued, looked, nextKey } = await this.#queue(id, fromKey)
    if (endpoint?.ordering === 'none') {
      this.#webhooks.delete(id)
      return this.#onUnordered(id)
    }
    webhook.nextKey = nextKey
    // Many tasks that all wait make a costly look: no other one at once, whatever wakes it.
    const restMs = Math.max(REST_MS_MIN, 20 * (performance.now() - startedMs))
    webhook.restsUntilMs = queued.length === 0 && looked >= KEYS_PER_STATEMENT / 2 ? performance.now() + restMs : 0
    if (endpoint !== undefined) await addJobs(this.#o, [endpoint], queued)
    // The scan began behind the first task and came to the end: the tasks before have their turn too.
    if (fromKey !== '' && nextKey === '') this.wake(id)
  }

  async #queue(webhookId: string, fromKey: string) {
    const { perTenantMax: tenantInFlightMax, leaseMs, workerId } = this.#o
    return await withTransaction(this.#o.pool, async (tx) => {
      const locked = await lockEndpoints(tx, { webhookIds: [webhookId] })
      const [endpoint] = locked
      const [capacity] = planCapacity(locked, this.#o)
      if (endpoint?.ordering !== 'task' || capacity === undefined) {
        return { endpoint, queued: [], looked: 0, nextKey: fromKey }
      }
      const scan = { fromKey, keysMax: KEYS_PER_STATEMENT, tenantInFlightMax, leaseMs, workerId }
      const found = await queueOrderedDeliveries(tx, { endpoint: capacity, ...scan })
      await spendRateTokens(tx, { spent: countLimited(locked, found.queued) })
      return { endpoint, ...found }
    })
  }
}
