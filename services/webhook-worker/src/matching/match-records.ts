import { recordId, type RawRecord } from '@ariftly/events'
import type { MatchedEvent } from '@ariftly/store/deliveries'
import { headerText, readAttributes } from './record-attributes.ts'
import type { SubscriptionIndex } from './subscription-index.ts'

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
}

/** What webhooks want of consecutive records. */
export interface Matched {
  /** In the order of the records. */
  readonly matches: readonly MatchedEvent[]
  /** Records that were looked at: all of them, or those before the one whose webhooks went beyond `pairsMax`. */
  readonly taken: number
  /** Tenants that are left for later, each with the offset of its first such record. */
  readonly deferred: ReadonlyMap<string, number>
}

/**
 * Finds the webhooks of each record, in order. A tenant that goes beyond its share is deferred from that record on, so that the
 * records of others behind it are reached. At least one record is taken, however many webhooks want it.
 */
export function matchRecords(index: SubscriptionIndex, records: readonly RawRecord[], o: MatchLimits): Matched {
  const matches: MatchedEvent[] = []
  const deferred = new Map<string, number>()
  const byTenant = new Map(o.spent)
  let pairs = 0
  for (const [number, record] of records.entries()) {
    if (record.timestampMs < o.oldestMs) continue
    const attributes = readAttributes(record)
    if (attributes === undefined || !index.hasTenant(attributes.tenant)) continue
    const { tenant, appendedAtMs } = attributes
    if (deferred.has(tenant)) continue
    const webhookIds = index.match(attributes)
    const eventId = webhookIds.length === 0 ? undefined : recordId(record)
    if (eventId === undefined) continue
    const ofTenant = (byTenant.get(tenant) ?? 0) + webhookIds.length
    if (o.backlogged.has(tenant) || (ofTenant > o.tenantPairsMax && byTenant.has(tenant))) {
      deferred.set(tenant, record.offset)
      continue
    }
    pairs += webhookIds.length
    if (pairs > o.pairsMax && number > 0) return { matches, taken: number, deferred }
    byTenant.set(tenant, ofTenant)
    matches.push({ tenant, eventId, offset: record.offset, appendedAtMs, traceparent: traceOf(record), webhookIds })
  }
  return { matches, taken: records.length, deferred }
}

const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/

/** An ill-formed trace context is none, as for `decodeRecord`: whatever a producer wrote, the store must take the delivery. */
function traceOf(record: RawRecord): string | null {
  const text = headerText(record, 'traceparent')
  return text !== undefined && TRACEPARENT.test(text) ? text : null
}
