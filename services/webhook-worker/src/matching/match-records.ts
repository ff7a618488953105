import { recordId, type RawRecord } from '@ariftly/events'
import type { RecordView } from '@ariftly/kafka'
import type { MatchedEvent } from './insert-deliveries.ts'
import { normalTraceparent } from '@ariftly/trace-context'
import { headerText, readAttributes, RecordPayload } from './record-attributes.ts'
import type { SubscriptionIndex } from './subscription-index.ts'

export type { Subscription } from './read-subscriptions.ts'
export { SubscriptionIndex } from './subscription-index.ts'

/** How much one statement may write, in pairs of a webhook and a record, and what is deferred. */
export interface MatchLimits {
  /** Records appended earlier are wanted by no webhook. */
  readonly oldestMs: number
  readonly pairsMax: number
  /** Pairs of one tenant, those of `spent` included. */
  readonly tenantPairsMax: number
  /** Pairs that each tenant has had already. */
  readonly spent: ReadonlyMap<string, number>
  /** Tenants with a backlog: their records join it. */
  readonly backlogged: ReadonlySet<string>
  /** Whether matching has used up its time in this tick of the event loop: the rest is matched in another part. */
  readonly isTickOver: () => boolean
  /** Milliseconds of a monotonic clock; default `performance.now`. */
  readonly now?: () => number
}

/** The matches of consecutive records. */
export interface Matched {
  /** In the order of the records. */
  readonly matches: readonly MatchedEvent[]
  /** Records that were matched: all, or those before the one whose webhooks went beyond `pairsMax` or the end of the tick. */
  readonly taken: number
  /** Tenants that are left for later, each with the offset of its first such record. */
  readonly deferred: ReadonlyMap<string, number>
  /** What the payload filters of each tenant cost, in pairs that would have cost as much of this thread. */
  readonly filterCosts: ReadonlyMap<string, number>
}

/** What a pair costs this thread: matching, the delivery's id, the statement's values. */
const MS_PER_PAIR = 0.012
/** What parsing a payload costs at most, in pairs: 0.05 ms a KiB, for `[[],[],…]` and for objects of very many names. */
const PAIRS_PER_KIB_MAX = 4

/**
 * Finds the webhooks of each record, in order. A tenant that exceeds its share (webhooks that want its records, or cost of its
 * payload filters) is deferred from that record on, so the later records of others are reached; so is one with a record that alone
 * has more than `pairsMax`. At least one record is taken, for any number of webhooks and any time that its payload takes.
 */
export function matchRecords(index: SubscriptionIndex, records: readonly RecordView[], o: MatchLimits): Matched {
  const { now = () => performance.now() } = o
  const matches: MatchedEvent[] = []
  const deferred = new Map<string, number>()
  const filterCosts = new Map<string, number>()
  const byTenant = new Map(o.spent)
  let pairs = 0
  for (const [number, record] of records.entries()) {
    if (number > 0 && o.isTickOver()) return { matches, taken: number, deferred, filterCosts }
    if (record.timestampMs < o.oldestMs) continue
    // Of most records only this is read: few tenants have webhooks.
    const tenant = record.headerText('ce_tenant') ?? ''
    if (!index.hasTenant(tenant)) continue
    if (deferred.has(tenant)) continue
    const before = byTenant.get(tenant)
    if (index.filtersOf(tenant) > 0 && (o.backlogged.has(tenant) || (before ?? 0) > o.tenantPairsMax)) {
      deferred.set(tenant, record.offset)
      continue
    }
    const { webhookIds, cost } = matchOne(index, { record, tenant, now })
    if (cost > 0) {
      filterCosts.set(tenant, (filterCosts.get(tenant) ?? 0) + cost)
      byTenant.set(tenant, (before ?? 0) + cost)
    }
    const eventId = webhookIds.length === 0 ? undefined : recordId(record)
    if (eventId === undefined) continue
    const ofTenant = (before ?? 0) + cost + webhookIds.length
    const isTooMuch = webhookIds.length > o.pairsMax || (ofTenant > o.tenantPairsMax && before !== undefined)
    if (o.backlogged.has(tenant) || isTooMuch) {
      deferred.set(tenant, record.offset)
      continue
    }
    pairs += webhookIds.length
    if (pairs > o.pairsMax) return { matches, taken: number, deferred, filterCosts }
    byTenant.set(tenant, ofTenant)
    matches.push({
      tenant,
      eventId,
      offset: record.offset,
      appendedAtMs: record.timestampMs,
      traceparent: traceOf(record),
      webhookIds,
    })
  }
  return { matches, taken: records.length, deferred, filterCosts }
}

/** The webhooks that want the event of a record, and what the payload filters of its tenant cost. */
function matchOne(
  index: SubscriptionIndex,
  { record, tenant, now }: { readonly record: RecordView; readonly tenant: string; readonly now: () => number },
): { readonly webhookIds: readonly string[]; readonly cost: number } {
  const event = readAttributes(record, tenant)
  const payload = new RecordPayload(record)
  const filters = index.filtersOf(tenant)
  if (filters === 0) return { webhookIds: index.match(event, payload), cost: 0 }
  const startedMs = now()
  const webhookIds = index.match(event, payload)
  // No filter costs as much as a pair, and no payload more than its bytes allow: what is more is a pause of the process.
  const costMax = filters + ((record.value?.length ?? 0) / 1024) * PAIRS_PER_KIB_MAX
  return { webhookIds, cost: Math.min(costMax, (now() - startedMs) / MS_PER_PAIR) }
}

/** An ill-formed trace context is none, as for `decodeRecord`: the store must take the delivery with any header of a producer. */
function traceOf(record: RawRecord): string | null {
  return normalTraceparent(headerText(record, 'traceparent')) ?? null
}
