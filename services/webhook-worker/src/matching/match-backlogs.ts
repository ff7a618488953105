import { setImmediate as nextTurn } from 'node:timers/promises'
import { backoffMs, sleep } from '@ariftly/async'
import type { Logger } from '@ariftly/runtime'
import { withTransaction, type Pool, type Transaction } from '@ariftly/store'
import {
  advanceMatchBacklog,
  anyMatchBacklog,
  insertDeliveries,
  lockNextMatchBacklog,
  readMatchBacklog,
  type MatchBacklog,
  type MatchedEvent,
} from '@ariftly/store/deliveries'
import type { MatchableEvents } from '@ariftly/store/events'
import { SetAside } from '../set-aside.ts'
import { KEPT_MS } from './matcher.ts'
import { once } from './record-attributes.ts'
import type { SubscriptionCache } from './subscription-cache.ts'
import type { SubscriptionIndex } from './subscription-index.ts'
import type { TenantPairs } from './tenant-pairs.ts'

/** What working off backlogs needs. */
export interface MatchBacklogsOptions {
  readonly pool: Pool
  readonly topic: string
  readonly subscriptions: SubscriptionCache
  /** Tells whether events of other tenants are matched at the same time. */
  readonly tenantPairs: Pick<TenantPairs, 'anyBut'>
  /** Whether matching has used up its time in this turn of the event loop. */
  readonly isTurnOver: () => boolean
  /** Called after each commit with the webhooks that have new deliveries. */
  readonly onMatched: (webhookIds: ReadonlySet<string>, deliveries: number) => void
  /** Ends it after the slice that is under way. */
  readonly signal: AbortSignal
  readonly log: Pick<Logger, 'warn'>
  readonly now?: () => number
}

/** Pairs of a webhook and an event that one slice writes: about 30 ms of Postgres. (One event alone may have more.) */
const PAIRS_MAX = 250
/** Events of a backlog that one slice looks at. */
const EVENTS_MAX = 250
/** The same when their payloads are read too, which may be fewer. */
const PAYLOADS_MAX = 100
/** The rest after a slice, in times of what that took: alone, and while events of other tenants are matched. */
const REST = { alone: 0.5, besideOthers: 3 } as const
const IDLE_MS = 1_000

/** What came of looking for a slice to match. */
type Slice =
  /** There was none to work on. */
  { readonly type: 'none' } | { readonly type: 'matched'; readonly tenant: string } | { readonly type: 'failed' }

/**
 * Matches the records that the matcher has left for later, slice by slice, until the signal aborts. Tenants take turns, any
 * number of processes share the work, and each tenant's records of a partition are matched in the order of the log. One
 * transaction covers a slice's deliveries and its position. After each slice it rests for half of the time that it took, and
 * for three times as long while other tenants have events to match, as all that these need shares Postgres with it. `wake`
 * begins at once.
 */
export function runMatchBacklogs(o: MatchBacklogsOptions): {
  readonly wake: () => void
  readonly ended: Promise<void>
} {
  const backlogs = new MatchBacklogs(o)
  return { wake: () => backlogs.wake(), ended: backlogs.run() }
}

class MatchBacklogs {
  readonly #o: MatchBacklogsOptions
  readonly #failing = new SetAside()
  /** Ends the pause in which there is nothing to match. */
  #idle = new AbortController()

  constructor(o: MatchBacklogsOptions) {
    this.#o = o
  }

  wake(): void {
    this.#idle.abort()
  }

  async run(): Promise<void> {
    const { pool, signal, log } = this.#o
    for (let failures = 0; !signal.aborted;) {
      // Before the look: what wakes it meanwhile may be later than what it sees.
      this.#idle = new AbortController()
      try {
        const startedMs = performance.now()
        const slice: Slice = (await anyMatchBacklog(pool)) ? await this.#matchSlice() : { type: 'none' }
        failures = 0
        if (slice.type === 'matched') await this.#rest(slice.tenant, performance.now() - startedMs)
        if (slice.type !== 'none') continue
      } catch (error) {
        if (!signal.aborted) log.warn({ err: error }, 'a backlog could not be matched')
        await sleep(backoffMs(failures++), signal)
      }
      await sleep(IDLE_MS, AbortSignal.any([signal, this.#idle.signal]))
    }
  }

  async #rest(tenant: string, tookMs: number): Promise<void> {
    const times = this.#o.tenantPairs.anyBut(tenant) ? REST.besideOthers : REST.alone
    await sleep(times * tookMs, this.#o.signal)
  }

  /** Rejects when no backlog could be looked for. */
  async #matchSlice(): Promise<Slice> {
    const { pool, topic, onMatched, signal, log } = this.#o
    let tenant: string | undefined
    try {
      const slice = await withTransaction(pool, async (tx) => {
        const backlog = await lockNextMatchBacklog(tx, { topic, exceptTenants: this.#failing.resting })
        if (backlog === undefined) return undefined
        tenant = backlog.tenant
        return { tenant, ...(await this.#matchBacklog(tx, backlog)) }
      })
      if (slice === undefined) return { type: 'none' }
      this.#failing.succeeded(slice.tenant)
      if (slice.deliveries > 0) onMatched(slice.webhookIds, slice.deliveries)
      return { type: 'matched', tenant: slice.tenant }
    } catch (error) {
      if (tenant === undefined) throw error
      if (!signal.aborted) log.warn({ err: error, tenant }, 'a slice of a backlog could not be matched')
      this.#failing.failed(tenant)
      return { type: 'failed' }
    }
  }

  async #matchBacklog(tx: Transaction, backlog: MatchBacklog) {
    const { index } = await this.#o.subscriptions.reload()
    const withData = index.needsData(backlog.tenant)
    const limit = withData ? PAYLOADS_MAX : EVENTS_MAX
    const read = await readMatchBacklog(tx, backlog, { limit, withData })
    const { matches, next } = await matchEvents(index, backlog, read, this.#o)
    const deliveries = await insertDeliveries(tx, { ...backlog, matches })
    await advanceMatchBacklog(tx, backlog, next)
    return { deliveries, webhookIds: new Set(matches.flatMap(({ webhookIds }) => webhookIds)) }
  }
}

/** The webhooks of the first events, of as many as a slice may have pairs; `next` is the offset that follows them. */
async function matchEvents(
  index: SubscriptionIndex,
  { tenant, endOffset }: MatchBacklog,
  { events, atEnd }: MatchableEvents,
  { isTurnOver, now = Date.now }: Pick<MatchBacklogsOptions, 'isTurnOver' | 'now'>,
): Promise<{ readonly matches: readonly MatchedEvent[]; readonly next: number }> {
  const oldestMs = now() - KEPT_MS
  const matches: MatchedEvent[] = []
  let pairs = 0
  for (const { id: eventId, offset, type, appendedAtMs, ...of } of events) {
    if (appendedAtMs < oldestMs) continue
    while (isTurnOver()) await nextTurn()
    const { taskId, sessionId, agent, data } = of
    const names = { taskId: taskId ?? undefined, sessionId: sessionId ?? undefined, agent: agent ?? undefined }
    const webhookIds = index.match({
      tenant,
      type,
      ...names,
      appendedAtMs,
      data: once(() => JSON.parse(data ?? 'null')),
    })
    pairs += webhookIds.length
    if (pairs > PAIRS_MAX && matches.length > 0) return { matches, next: offset }
    // The trace of a record is not in the projection.
    if (webhookIds.length > 0) matches.push({ tenant, eventId, offset, appendedAtMs, traceparent: null, webhookIds })
  }
  const last = events.at(-1)
  return { matches, next: atEnd || last === undefined ? endOffset : last.offset + 1 }
}
