import { describe, expect, test } from '@jest/globals'
import { encodeRecord, newEventId } from '@ariftly/events'
import { recordViewOf } from '@ariftly/testkit'
import { matchRecords, SubscriptionIndex } from './match-records.ts'

const filters = { taskId: null, sessionId: null, agent: null, filter: null }
const index = new SubscriptionIndex([{ id: 'whk_1', tenant: 'acme', events: ['*'], ...filters, createdAtMs: 0 }])
const LIMITS = {
  oldestMs: 0,
  pairsMax: 5_000,
  tenantPairsMax: 5_000,
  spent: new Map<string, number>(),
  backlogged: new Set<string>(),
  isTickOver: () => false,
}
/** Two webhooks of one tenant and one of another. */
const two = new SubscriptionIndex(
  ['acme', 'acme', 'other'].map((tenant, number) => ({
    id: `whk_${number}`,
    tenant,
    events: ['*'],
    ...filters,
    createdAtMs: 0,
  })),
)
const good = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

function traceKept(traceparent: string): string | null | undefined {
  return matchRecords(index, [recordAt(7, traceparent)], LIMITS).matches.map((match) => match.traceparent)[0]
}

const SMALL = Buffer.from('{"task_id":"t1","message":"m"}')

function recordAt(offset: number, traceparent = good, tenant = 'acme', data = SMALL) {
  const { key, value, headers } = encodeRecord({
    tenant,
    id: newEventId(Date.now()),
    type: 'task.progress',
    ...filters,
    taskId: 't1',
    data,
    traceparent,
  })
  return recordViewOf({ partition: 0, offset, timestampMs: Date.now(), key, value, headers })
}

describe('matchRecords', () => {
  test('keeps the trace of a record', () => {
    expect(traceKept(good)).toBe(good)
    expect(traceKept(good.replace('00', '01'))).toBe(good)
  })

  test.each([
    ['a NUL, which Postgres takes in no text', `${good}\0`],
    ['no trace context', 'x'.repeat(100_000)],
    ['that of no trace', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`],
    ['nothing', ''],
  ])('matches a record whose traceparent is %s, without it', (_, traceparent) => {
    expect(traceKept(traceparent)).toBeNull()
  })

  test('ends before the record whose webhooks exceed the limit', () => {
    const three = new SubscriptionIndex(
      ['whk_1', 'whk_2', 'whk_3'].map((id) => ({ id, tenant: 'acme', events: ['*'], ...filters, createdAtMs: 0 })),
    )
    const records = [0, 1, 2].map((offset) => recordAt(offset))
    const taken = (pairsMax: number) => matchRecords(three, records, { ...LIMITS, pairsMax }).taken
    expect([3, 5, 6, 8, 9].map(taken)).toEqual([1, 1, 2, 2, 3])
  })

  test('leaves a tenant for later of which one record alone has more webhooks than the limit', () => {
    const records = ['acme', 'other'].map((tenant, offset) => recordAt(offset, good, tenant))
    const found = matchRecords(two, records, { ...LIMITS, pairsMax: 1 })
    expect(found.taken).toBe(2)
    expect(found.matches.map(({ offset }) => offset)).toEqual([1])
    expect([...found.deferred]).toEqual([['acme', 0]])
  })

  test('leaves a tenant above its share for later, and continues with the records of others', () => {
    const records = ['acme', 'acme', 'acme', 'other'].map((tenant, offset) => recordAt(offset, good, tenant))
    const found = matchRecords(two, records, { ...LIMITS, tenantPairsMax: 4 })
    expect(found.matches.map(({ offset }) => offset)).toEqual([0, 1, 3])
    expect([...found.deferred]).toEqual([['acme', 2]])
    const joined = matchRecords(two, records, { ...LIMITS, backlogged: new Set(['acme']) })
    expect(joined.matches.map(({ offset }) => offset)).toEqual([3])
    expect([...joined.deferred]).toEqual([['acme', 0]])
  })
  test('leaves a tenant for later whose filters cost more than its share, though none of its webhooks wants anything', () => {
    const both = new SubscriptionIndex([
      { id: 'whk_1', tenant: 'acme', events: ['*'], ...filters, createdAtMs: 0, filter: '{"data.message":"never"}' },
      { id: 'whk_2', tenant: 'other', events: ['*'], ...filters, createdAtMs: 0 },
    ])
    let nowMs = 0
    // A clock on which each reading takes long, as if the process were paused: one pair is counted for one filter, and 0.12 for 30 bytes.
    const now = () => (nowMs += 1000)
    const records = ['acme', 'acme', 'acme', 'acme', 'acme', 'other'].map((tenant, offset) =>
      recordAt(offset, good, tenant),
    )
    const found = matchRecords(both, records, { ...LIMITS, tenantPairsMax: 3, now })
    expect([...found.deferred]).toEqual([['acme', 3]])
    expect([...found.filterCosts]).toEqual([['acme', 3 * (1 + (SMALL.length / 1024) * 4)]])
    expect(found.matches.map(({ offset }) => offset)).toEqual([5])
    const joined = matchRecords(both, records, { ...LIMITS, backlogged: new Set(['acme']), now })
    expect([...joined.deferred]).toEqual([['acme', 0]])
    expect([...joined.filterCosts]).toEqual([])
  })

  test('counts a large payload by the time that its filter takes, up to what so many bytes may take', () => {
    const filtered = new SubscriptionIndex([
      { id: 'whk_1', tenant: 'acme', events: ['*'], ...filters, createdAtMs: 0, filter: '{"data.message":"never"}' },
    ])
    const large = Buffer.from(`{"a":[${'[],'.repeat(80_000)}[]]}`)
    const records = [0, 1].map((offset) => recordAt(offset, good, 'acme', large))
    const match = (stepMs: number) => {
      let nowMs = 0
      const now = () => (nowMs += stepMs)
      const { filterCosts, deferred } = matchRecords(filtered, records, { ...LIMITS, tenantPairsMax: 300, now })
      return { pairs: filterCosts.get('acme') ?? 0, deferred: deferred.get('acme') }
    }
    expect(match(1.2)).toEqual({ pairs: expect.closeTo(200), deferred: undefined })
    expect(match(7.2)).toEqual({ pairs: expect.closeTo(600), deferred: 1 })
    expect(match(10_000)).toEqual({ pairs: expect.closeTo(1 + (large.length / 1024) * 4), deferred: 1 })
  })

  test('ends behind the record with which the tick of the event loop is over, and always takes one record', () => {
    const records = [0, 1, 2].map((offset) => recordAt(offset))
    const taken = (steps: number) => {
      let step = 0
      return matchRecords(index, records, { ...LIMITS, isTickOver: () => ++step >= steps })
    }
    expect(taken(1)).toMatchObject({ taken: 1, matches: [{ offset: 0 }] })
    expect(taken(2)).toMatchObject({ taken: 2, matches: [{ offset: 0 }, { offset: 1 }] })
    expect(taken(3)).toMatchObject({ taken: 3, matches: [{ offset: 0 }, { offset: 1 }, { offset: 2 }] })
  })
})
