import { FailureLog } from '@ariftly/async'
import { sleep, withTimeout, type Logger } from '@ariftly/runtime'
import type { Pool } from '@ariftly/store'
import { Replica } from '@ariftly/store/replicas'
import { exchangeStreamCounts } from './exchange-stream-counts.ts'

interface TenantStreamCountsOptions {
  readonly pool: Pool
  readonly log: Pick<Logger, 'warn'>
  /** Open streams of a tenant in this process. */
  countHere(this: void, tenant: string): number
}

const SERVICE = 'stream-gateway'
const EVERY_MS = 250
const FIRST_COUNT_MS = 2_000
const FORGET_MS = 60_000

/**
 * Counts the streams of tenants that have a limit over all gateways, through the database. Tenants that never had a limit
 * cost nothing. While Postgres is unavailable the last counts are used.
 */
export class TenantStreamCounts {
  readonly #o: TenantStreamCountsOptions
  readonly #replica: Replica
  readonly #failures: FailureLog
  /** Tenants that may have a limit and have asked for a stream here, and their streams in other processes. */
  readonly #elsewhere = new Map<string, number>()
  /** The first exchange of each, while it is under way. */
  readonly #first = new Map<string, Promise<void>>()
  /** When each of them has last asked. */
  readonly #askedMs = new Map<string, number>()
  readonly #closing = new AbortController()
  /** The loop of exchanges, while there is a tenant to count for. */
  #exchanges: Promise<void> | undefined

  constructor(o: TenantStreamCountsOptions) {
    this.#o = o
    this.#replica = new Replica(o.pool, SERVICE)
    this.#failures = new FailureLog({
      log: o.log,
      failing: 'the streams of tenants cannot be counted over all gateways',
    })
  }

  /**
   * Open streams of a tenant in other gateways, as of the last exchange (250 ms). The first calls for a tenant wait for an
   * exchange, at most 2 s; if it fails the count is 0.
   */
  async elsewhere(tenant: string): Promise<number> {
    this.#count(tenant)
    await this.#first.get(tenant)
    return this.#elsewhere.get(tenant) ?? 0
  }

  /** A tenant's limits have changed: its streams here, which it may have opened without a limit, are counted elsewhere. */
  onTenantUpdated(tenant: string): void {
    if (this.#o.countHere(tenant) > 0) this.#count(tenant)
  }

  #count(tenant: string): void {
    this.#askedMs.set(tenant, performance.now())
    if (this.#elsewhere.has(tenant)) return
    this.#elsewhere.set(tenant, 0)
    this.#first.set(tenant, this.#countFirst(tenant))
    this.#exchanges ??= this.#exchangeWhileCounting()
  }

  async #countFirst(tenant: string): Promise<void> {
    await withTimeout(this.#exchange(), FIRST_COUNT_MS).catch(() => {})
    this.#first.delete(tenant)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#exchanges
    await this.#replica.remove().catch(() => {})
  }

  #forget(tenant: string): void {
    this.#elsewhere.delete(tenant)
    this.#askedMs.delete(tenant)
  }

  async #exchangeWhileCounting(): Promise<void> {
    const { signal } = this.#closing
    while (this.#elsewhere.size > 0 && !signal.aborted) {
      await sleep(EVERY_MS, signal)
      if (!signal.aborted) await this.#exchange()
    }
    this.#exchanges = undefined
  }

  async #exchange(): Promise<void> {
    const { pool, countHere } = this.#o
    try {
      const nowMs = performance.now()
      if (this.#replica.isDue) await this.#replica.renew()
      const counts = new Map([...this.#elsewhere.keys()].map((tenant) => [tenant, countHere(tenant)]))
      const others = await exchangeStreamCounts(pool, { service: SERVICE, replica: this.#replica.id, counts })
      for (const [tenant, here] of counts) {
        const streams = others.get(tenant) ?? 0
        this.#elsewhere.set(tenant, streams)
        // Forget a tenant that has no stream here and has not asked lately: its next call waits for a new count.
        if (here === 0 && nowMs - (this.#askedMs.get(tenant) ?? nowMs) > FORGET_MS) this.#forget(tenant)
      }
      this.#failures.succeeded()
    } catch (error) {
      this.#failures.failed(error)
    }
  }
}
