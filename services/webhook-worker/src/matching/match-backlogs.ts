import { setImmediate as immediate } from 'node:timers/promises'
import type { LongJobs, Pool, Transaction } from '@ariftly/store'
import {
  advanceMatchBacklog,
  anyMatchBacklog,
  lockNextMatchBacklog,
  readMatchBacklog,
  type MatchBacklog,
} from './match-backlog.ts'
import { insertDeliveries, type MatchedEvent } from './insert-deliveries.ts'
import { readDeliveriesKeptFrom } from './delivery-partitions.ts'
import type { MatchableEvents } from './read-matchable-events.ts'
import { PausedUntil } from '../paused-until.ts'
import { once } from './record-attributes.ts'
import type { CachedSubscriptions, SubscriptionCache } from './subscription-cache.ts'
import type { SubscriptionIndex } from './subscription-index.ts'
import type { TenantPairs } from './tenant-pairs.ts'

/** Dependencies of working off backlogs. */
export interface MatchBacklogsOptions {
  readonly pool: Pool
  readonly topic: string
  readonly subscriptions: SubscriptionCache
  /** Knows whether events of other tenants are matched at the same time. */
  readonly tenantPairs: Pick<TenantPairs, 'anyBut'>
  /** Whether matching has used up its time in this tick of the event loop. */
  readonly isTickOver: () => boolean
  /** Called after each commit with the webhooks that have new deliveries. */
  readonly onMatched: (webhookIds: ReadonlySet<string>, deliveries: number) => void
}

/** Pairs of a webhook and an event that one slice writes: about 30 ms of Postgres. An event that has more takes several slices. */
const PAIRS_MAX = 250
/** Events of a backlog that one slice reads. */
const EVENTS_MAX = 250
/** The same when their payloads are read too, which may be fewer. */
const PAYLOADS_MAX = 100

/** The result of a slice. */
interface BacklogSlice {
  readonly backlog: MatchBacklog
  readonly deliveries: number
  readonly webhookIds: ReadonlySet<string>
  /** The event that the next slice continues. */
  readonly begun: BegunEvent | undefined
}

/** An event with more pairs than one slice writes, of which some are written. */
interface BegunEvent {
  /** In the order of their ids, so that a change of the webhooks does not move the place. */
  readonly match: MatchedEvent
  /** How many of its webhooks are done. */
  readonly done: number
  /** The offset that follows the event. */
  readonly next: number
  /** Of the webhooks. */
  readonly version: number
}

/** Matched events and the offset that follows them. */
interface MatchedRange {
  readonly matches: readonly MatchedEvent[]
  readonly next: number
}

/**
 * Backlogs of matching as long jobs: the records that the matcher has left for later. Each tenant's records of a partition are matched
 * in the order of the log. The pause after a slice is longer while other tenants have events to match, as their work needs Postgres too.
 */
export function matchBacklogJobs(o: MatchBacklogsOptions): LongJobs<MatchBacklog, BacklogSlice> {
  const { pool, topic, onMatched, tenantPairs } = o
  const paused = new PausedUntil()
  // Only a saving: without its entry an event begins again, and deliveries that exist stay as they are.
  const begunEvents = new Map<string, BegunEvent>()
  return {
    pool,
    async any(db) {
      const isAny = await anyMatchBacklog(db)
      // What other workers have ended, and tenants that were deleted, leave their entries here.
      if (!isAny) begunEvents.clear()
      return isAny
    },
    lockNext: (tx) => lockNextMatchBacklog(tx, { topic, exceptTenants: paused.ids }),
    makeSlice: (tx, backlog) => makeSlice(tx, { backlog, begun: begunEvents.get(keyOf(backlog)) }, o),
    passOn({ tenant }) {
      paused.failed(tenant)
    },
    madeSlice({ backlog, deliveries, webhookIds, begun }, tookMs) {
      const { tenant } = backlog
      paused.succeeded(tenant)
      if (begun === undefined) begunEvents.delete(keyOf(backlog))
      else begunEvents.set(keyOf(backlog), begun)
      if (deliveries > 0) onMatched(webhookIds, deliveries)
      return { usedMs: tookMs, isShared: tenantPairs.anyBut(tenant) }
    },
  }
}

function keyOf({ epoch, partition, tenant }: MatchBacklog): string {
  return `${epoch}/${partition}/${tenant}`
}

async function makeSlice(
  tx: Transaction,
  { backlog, begun }: { readonly backlog: MatchBacklog; readonly begun: BegunEvent | undefined },
  o: MatchBacklogsOptions,
): Promise<BacklogSlice> {
  const subscriptions = await o.subscriptions.reload()
  const part = await nextPart(tx, { backlog, begun, subscriptions }, o)
  const deliveries = await insertDeliveries(tx, { ...backlog, matches: part.matches })
  await advanceMatchBacklog(tx, backlog, part.next)
  const webhookIds = new Set(part.matches.flatMap((match) => match.webhookIds))
  return { backlog, deliveries, webhookIds, begun: part.begun }
}

/** What a slice writes: several events, or up to 250 webhooks of one, which is next again until all of them are done. */
async function nextPart(
  tx: Transaction,
  of: {
    readonly backlog: MatchBacklog
    readonly begun: BegunEvent | undefined
    readonly subscriptions: CachedSubscriptions
  },
  o: MatchBacklogsOptions,
): Promise<MatchedRange & { readonly begun?: BegunEvent }> {
  const { backlog, subscriptions } = of
  const { index, version } = subscriptions
  let begun = of.begun?.match.offset === backlog.nextOffset ? of.begun : undefined
  if (begun?.version !== version) {
    const withData = index.needsData(backlog.tenant)
    const limit = withData ? PAYLOADS_MAX : EVENTS_MAX
    const read = await readMatchBacklog(tx, backlog, { limit, withData })
    const range = await matchEvents(index, read, { ...o, ...backlog, oldestMs: await readDeliveriesKeptFrom(tx) })
    const [match] = range.matches
    if (match === undefined || match.webhookIds.length <= PAIRS_MAX) return range
    const last = begun?.match.offset === match.offset ? (begun.match.webhookIds[begun.done - 1] ?? '') : ''
    const webhookIds = match.webhookIds.toSorted()
    const done = webhookIds.filter((id) => id <= last).length
    begun = { match: { ...match, webhookIds }, done, next: range.next, version }
  }
  const { match, done, next } = begun
  const end = Math.min(done + PAIRS_MAX, match.webhookIds.length)
  const matches = [{ ...match, webhookIds: match.webhookIds.slice(done, end) }]
  if (end === match.webhookIds.length) return { matches, next }
  return { matches, next: match.offset, begun: { ...begun, done: end } }
}

/** The webhooks of the first events, of as many as a slice may have pairs; `next` is the offset that follows them. */
async function matchEvents(
  index: SubscriptionIndex,
  { events, atEnd }: MatchableEvents,
  o: Pick<MatchBacklogsOptions, 'isTickOver'> &
    Pick<MatchBacklog, 'tenant' | 'endOffset'> & { readonly oldestMs: number },
): Promise<MatchedRange> {
  const { isTickOver, tenant, endOffset, oldestMs } = o
  const matches: MatchedEvent[] = []
  let pairs = 0
  for (const event of events) {
    const { id: eventId, offset, appendedAtMs, data } = event
    if (appendedAtMs < oldestMs) continue
    while (isTickOver()) await immediate()
    const webhookIds = index.match({ ...event, tenant }, { appendedAtMs, data: once(() => JSON.parse(data ?? 'null')) })
    pairs += webhookIds.length
    if (pairs > PAIRS_MAX && matches.length > 0) return { matches, next: offset }
    // The trace of a record is not in the projection.
    if (webhookIds.length > 0) matches.push({ tenant, eventId, offset, appendedAtMs, traceparent: null, webhookIds })
  }
  const last = events.at(-1)
  return { matches, next: atEnd || last === undefined ? endOffset : last.offset + 1 }
}
