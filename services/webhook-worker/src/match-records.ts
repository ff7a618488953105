import { recordId, type RawRecord } from '@ariftly/events'
import type { MatchedEvent } from '@ariftly/store/deliveries'
import { headerText, readAttributes } from './record-attributes.ts'
import type { SubscriptionIndex } from './subscription-index.ts'

export { createSubscriptionIndex, type SubscriptionIndex } from './subscription-index.ts'

/** Every (webhook, record) that belongs together, in the order of the records; those appended before `oldestMs` want nobody. */
export function matchRecords(
  index: SubscriptionIndex,
  records: readonly RawRecord[],
  oldestMs: number,
): MatchedEvent[] {
  const matches: MatchedEvent[] = []
  for (const record of records) {
    if (record.timestampMs < oldestMs) continue
    const attributes = readAttributes(record)
    if (attributes === undefined || !index.hasTenant(attributes.tenant)) continue
    const webhookIds = index.match(attributes)
    const eventId = webhookIds.length === 0 ? undefined : recordId(record)
    if (eventId === undefined) continue
    const traceparent = traceOf(record)
    const { tenant, appendedAtMs } = attributes
    for (const webhookId of webhookIds) {
      matches.push({ tenant, webhookId, eventId, offset: record.offset, appendedAtMs, traceparent })
    }
  }
  return matches
}

const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/

/** An ill-formed trace is none, as for `decodeRecord`: whatever a producer wrote there, the store must take the delivery. */
function traceOf(record: RawRecord): string | null {
  const text = headerText(record, 'traceparent')
  return text !== undefined && TRACEPARENT.test(text) ? text : null
}
