import { describe, expect, test } from '@jest/globals'
import { encodeRecord, newEventId } from '@ariftly/events'
import { createSubscriptionIndex, matchRecords } from './match-records.ts'

const filters = { taskId: null, sessionId: null, agent: null, filter: null }
const index = createSubscriptionIndex([{ id: 'whk_1', tenant: 'acme', events: ['*'], ...filters, createdAtMs: 0 }])
const good = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

function traceKept(traceparent: string): string | null | undefined {
  const limits = { oldestMs: 0, pairsMax: 5_000 }
  return matchRecords(index, [recordAt(7, traceparent)], limits).matches.map((match) => match.traceparent)[0]
}

function recordAt(offset: number, traceparent = good) {
  const { key, value, headers } = encodeRecord({
    tenant: 'acme',
    id: newEventId(Date.now()),
    type: 'task.progress',
    ...filters,
    taskId: 't1',
    data: Buffer.from('{"task_id":"t1","message":"m"}'),
    traceparent,
  })
  return { partition: 0, offset, timestampMs: Date.now(), key, value, headers }
}

describe('matchRecords', () => {
  test('keeps the trace of a record', () => {
    expect(traceKept(good)).toBe(good)
  })

  test.each([
    ['a NUL, which Postgres takes in no text', `${good}\0`],
    ['no trace context', 'x'.repeat(100_000)],
    ['nothing', ''],
  ])('matches a record whose traceparent is %s, without it', (_, traceparent) => {
    expect(traceKept(traceparent)).toBeNull()
  })

  test('ends before the record whose webhooks go beyond the limit, and always takes one record', () => {
    const three = createSubscriptionIndex(
      ['whk_1', 'whk_2', 'whk_3'].map((id) => ({ id, tenant: 'acme', events: ['*'], ...filters, createdAtMs: 0 })),
    )
    const records = [0, 1, 2].map((offset) => recordAt(offset))
    const taken = (pairsMax: number) => matchRecords(three, records, { oldestMs: 0, pairsMax }).taken
    expect([1, 3, 5, 6, 8, 9].map(taken)).toEqual([1, 1, 1, 2, 2, 3])
  })
})
