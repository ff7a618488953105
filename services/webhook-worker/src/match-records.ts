import { recordId, type RawRecord } from '@ariftly/events'
import type { MatchedEvent } from '@ariftly/store/deliveries'
import { headerText, readAttributes } from './record-attributes.ts'
import type { SubscriptionIndex } from './subscription-index.ts'

export { createSubscriptionIndex, type SubscriptionIndex } from './subscription-index.ts'

/** The records that webhooks want, in their order. */
export interface Matched {
  readonly matches: readonly MatchedEvent[]
  /** Records that were looked at: all of them, or those before the one whose webhooks went beyond the limit. */
  readonly taken: number
}

/**
 * Finds the webhooks of each record, up to `pairsMax` pairs of a webhook and a record. At least one record is taken, however
 * many webhooks want it. Records appended before `oldestMs` are wanted by none.
 */
export function matchRecords(
  index: SubscriptionIndex,
  records: readonly RawRecord[],
  o: { readonly oldestMs: number; readonly pairsMax: number },
): Matched {
  const matches: MatchedEvent[] = []
  let pairs = 0
  for (const [number, record] of records.entries()) {
    if (record.timestampMs < o.oldestMs) continue
    const attributes = readAttributes(record)
    if (attributes === undefined || !index.hasTenant(attributes.tenant)) continue
    const webhookIds = index.match(attributes)
    const eventId = webhookIds.length === 0 ? undefined : recordId(record)
    if (eventId === undefined) continue
    pairs += webhookIds.length
    if (pairs > o.pairsMax && number > 0) return { matches, taken: number }
    const { tenant, appendedAtMs } = attributes
    matches.push({ tenant, eventId, offset: record.offset, appendedAtMs, traceparent: traceOf(record), webhookIds })
  }
  return { matches, taken: records.length }
}

const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/

/** An ill-formed trace context is none, as for `decodeRecord`: whatever a producer wrote, the store must take the delivery. */
function traceOf(record: RawRecord): string | null {
  const text = headerText(record, 'traceparent')
  return text !== undefined && TRACEPARENT.test(text) ? text : null
}
