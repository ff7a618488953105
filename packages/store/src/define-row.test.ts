import { newTypeId, typeIdToUuid } from '@ariftly/events'
import { expect, test } from '@jest/globals'
import { defineRow, plain, tenant, time, timeOrNull, typeId } from './define-row.ts'

const row = defineRow('r', {
  id: typeId('rpl'),
  tenant,
  limits: { eventsPerS: plain<number | null>(), apiKeys: plain<number | null>({ name: 'keys' }) },
  deliveryCount: plain<number>({ sql: 'r.first + r.second' }),
  createdAtMs: time(),
  finishedAtMs: timeOrNull(),
})
const id = newTypeId('rpl', 1_700_000_000_000)

test('selects each column once, expressions under the name of their member', () => {
  expect(row.columns).toBe(
    'r.id, r.tenant_id, r.events_per_s, r.keys, r.first + r.second AS delivery_count, r.created_at, r.finished_at',
  )
})

test('reads the row that pg returns, and no other columns', () => {
  const stored = {
    id: typeIdToUuid('rpl', id),
    tenant_id: 'acme',
    events_per_s: 5,
    keys: null,
    delivery_count: 2,
    created_at: new Date(1000),
    finished_at: null,
    further: true,
  }
  const read = {
    id,
    tenant: 'acme',
    limits: { eventsPerS: 5, apiKeys: null },
    deliveryCount: 2,
    createdAtMs: 1000,
    finishedAtMs: null,
  }
  expect(row.read(stored)).toEqual(read)
  expect(row.readFirst({ rows: [stored] })).toEqual(read)
  expect(row.readFirst({ rows: [] })).toBeUndefined()
})

test('writes the given members in the order of the definition; null is a value, undefined is none', () => {
  const written = row.write({ finishedAtMs: null, limits: { eventsPerS: 1, apiKeys: null }, createdAtMs: 1000, id }, 3)
  expect(written).toEqual({
    columns: 'id, events_per_s, keys, created_at, finished_at',
    parameters: '$3, $4, $5, $6, $7',
    sets: 'id = $3, events_per_s = $4, keys = $5, created_at = $6, finished_at = $7',
    values: [typeIdToUuid('rpl', id), 1, null, new Date(1000), null],
  })
})

test('a member that the row does not have, or of another type, does not compile', () => {
  // @ts-expect-error there is no such member
  expect(row.write({ tenantId: 'acme' }).columns).toBe('')
  // @ts-expect-error a time is a number
  expect(row.write({ createdAtMs: 'now' }).columns).toBe('created_at')
})
