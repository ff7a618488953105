import { createHash } from 'node:crypto'
import { formatTypeId } from '@ariftly/events'

/**
 * The id of the delivery of an event to a webhook: always the same for the same three, so that the primary key is what
 * makes a delivery unique. A UUIDv7 whose millisecond is the event's append time (which names the partition) and whose
 * other bits are the first of SHA-256(`<webhook id>\n<event id>`).
 */
export function deriveDeliveryId(o: {
  readonly appendedAtMs: number
  readonly webhookId: string
  readonly eventId: string
}): string {
  const bytes = Buffer.allocUnsafe(16)
  bytes.writeUIntBE(o.appendedAtMs, 0, 6)
  createHash('sha256').update(`${o.webhookId}\n${o.eventId}`).digest().copy(bytes, 6, 0, 10)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  return formatTypeId('dlv', bytes)
}
