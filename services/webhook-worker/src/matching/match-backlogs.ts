import { setImmediate as immediate } from 'node:timers/promises'
import type { LongJobs, Pool, Transaction } from '@ariftly/store'
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
import { PausedUntil } from '../paused-until.ts'
import { KEPT_MS } from './matcher.ts'
import { once } from './record-attributes.ts'
import type { SubscriptionCache } from './subscription-cache.ts'
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
  readonly now?: () => number
}

/** Pairs of a webhook and an event that one slice writes: about 30 ms of Postgres. (One event alone may have more.) */
const PAIRS_MAX = 250
/** Events of a backlog that one slice reads. */
const EVENTS_MAX = 250
/** The same when their payloads are read too, which may be fewer. */
const PAYLOADS_MAX = 100
/** The rest after a slice, in times of what that took: alone, and while events of other tenants are matched. */
const REST = { alone: 0.5, withOthers: 3 } as const

/** The result of a slice. */
interface BacklogSlice {
  readonly tenant: string
  readonly deliveries: number
  readonly webhookIds: ReadonlySet<string>
}

/**
 * Backlogs of matching as long jobs: the records that the matcher has left for later. Each tenant's records of a partition are matched
 * in the order of the log. After each slice it pauses for half of the time of the slice, or three times the time while other tenants have
 * events to match, as their work needs Postgres too.
 */
export function matchBacklogJobs(o: MatchBacklogsOptions): LongJobs<MatchBacklog, BacklogSlice> {
  const { pool, topic, onMatched, tenantPairs } = o
  const paused = new PausedUntil()
  return {
    pool,
    any: anyMatchBacklog,
    lockNext: (tx) => lockNextMatchBacklog(tx, { topic, exceptTenants: paused.ids }),
    makeSlice: (tx, backlog) => makeSlice(tx, backlog, o),
    passOn({ tenant }) {
      paused.failed(tenant)
    },
    madeSlice({ tenant, deliveries, webhookIds }, tookMs) {
      paused.succeeded(tenant)
      if (deliveries > 0) onMatched(webhookIds, deliveries)
      return tookMs * (tenantPairs.anyBut(tenant) ? REST.withOthers : REST.alone)
    },
  }
}

async function makeSlice(tx: Transaction, backlog: MatchBacklog, o: MatchBacklogsOptions): Promise<BacklogSlice> {
  const { tenant } = backlog
  const { index } = await o.subscriptions.reload()
  const withData = index.needsData(tenant)
  const limit = withData ? PAYLOADS_MAX : EVENTS_MAX
  const read = await readMatchBacklog(tx, backlog, { limit, withData })
  const { matches, next } = await matchEvents(index, backlog, read, o)
  const deliveries = await insertDeliveries(tx, { ...backlog, matches })
  await advanceMatchBacklog(tx, backlog, next)
  return { tenant, deliveries, webhookIds: new Set(matches.flatMap(({ webhookIds }) => webhookIds)) }
}

/** The webhooks of the first events, of as many as a slice may have pairs; `next` is the offset that follows them. */
async function matchEvents(
  index: SubscriptionIndex,
  { tenant, endOffset }: MatchBacklog,
  { events, atEnd }: MatchableEvents,
  { isTickOver, now = Date.now }: Pick<MatchBacklogsOptions, 'isTickOver' | 'now'>,
): Promise<{ readonly matches: readonly MatchedEvent[]; readonly next: number }> {
  const oldestMs = now() - KEPT_MS
  const matches: MatchedEvent[] = []
  let pairs = 0
  for (const { id: eventId, offset, type, appendedAtMs, ...of } of events) {
    if (appendedAtMs < oldestMs) continue
    while (isTickOver()) await immediate()
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
