import { describe, expect, test } from '@jest/globals'
import { newEventId, newTypeId, parseTypeId } from '@ariftly/events'
import { deriveDeliveryId } from './delivery-id.ts'

describe('deriveDeliveryId', () => {
  const appendedAtMs = Date.UTC(2026, 10, 25, 12, 0, 0, 123)
  const webhookId = newTypeId('whk')
  const eventId = newEventId(appendedAtMs)

  test('is the same for the same delivery and another for any other', () => {
    const id = deriveDeliveryId({ appendedAtMs, webhookId, eventId })
    expect(deriveDeliveryId({ appendedAtMs, webhookId, eventId })).toBe(id)
    expect(deriveDeliveryId({ appendedAtMs, webhookId: newTypeId('whk'), eventId })).not.toBe(id)
    expect(deriveDeliveryId({ appendedAtMs, webhookId, eventId: newEventId(appendedAtMs) })).not.toBe(id)
  })

  test('is a UUIDv7 that carries the append time', () => {
    const bytes = parseTypeId('dlv', deriveDeliveryId({ appendedAtMs, webhookId, eventId }))
    expect(bytes?.readUIntBE(0, 6)).toBe(appendedAtMs)
  })
})
