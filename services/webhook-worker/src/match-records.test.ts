import { describe, expect, test } from '@jest/globals'
import { encodeRecord, newEventId } from '@ariftly/events'
import { createSubscriptionIndex, matchRecords } from './match-records.ts'

const filters = { taskId: null, sessionId: null, agent: null }
const index = createSubscriptionIndex([{ id: 'whk_1', tenant: 'acme', events: ['*'], ...filters, createdAtMs: 0 }])
const good = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

function traceKept(traceparent: string): string | null | undefined {
  const { key, value, headers } = encodeRecord({
    tenant: 'acme',
    id: newEventId(Date.now()),
    type: 'task.progress',
    ...filters,
    taskId: 't1',
    data: Buffer.from('{"task_id":"t1","message":"m"}'),
    traceparent,
  })
  const record = { partition: 0, offset: 7, timestampMs: Date.now(), key, value, headers }
  return matchRecords(index, [record], 0).map((match) => match.traceparent)[0]
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
})
