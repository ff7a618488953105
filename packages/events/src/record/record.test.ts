import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { decodeRecord, recordId } from './decode-record.ts'
import { encodeRecord } from './encode-record.ts'
import { newEventId } from '../event-id.ts'
import { EVENT_TYPES, isSessionType } from '../event-type.ts'
import { LIMITS } from '../limits.ts'
import type { LogEvent } from '../log-event.ts'
import { partitionOf } from './partition.ts'
import type { RawRecord } from './record.ts'
import { renderEvent } from './render-event.ts'

const nowMs = Date.parse('2026-11-25T08:45:37.123Z')
const PARTITIONS = 12

const example: LogEvent = {
  tenant: 'acme',
  id: 'evt_01m88y3fz3eeksq399rkr6wnx3',
  type: 'task.progress',
  taskId: 'task_01j9x8k2m4e7s9v0w1x2y3z4a5',
  sessionId: null,
  agent: 'analyzer',
  data: Buffer.from('{"task_id":"task_01j9x8k2m4e7s9v0w1x2y3z4a5","message":"Analyzing document","progress":0.30}'),
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
}

function rawRecord(event: LogEvent): RawRecord {
  const { key, value, headers } = encodeRecord(event)
  const bytes = Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)]))
  const place = { partition: partitionOf(key, PARTITIONS), offset: 7, timestampMs: nowMs }
  return { ...place, key: Buffer.from(key), value, headers: bytes }
}

/** The example's record with other headers (undefined removes one), key or value. */
function broken(change: {
  headers?: RawRecord['headers']
  key?: Buffer | null
  value?: Buffer | string | null
  timestampMs?: number
}): RawRecord {
  const record = rawRecord(example)
  const value =
    change.value === undefined
      ? record.value
      : typeof change.value === 'string'
        ? Buffer.from(change.value)
        : change.value
  const key = change.key === undefined ? record.key : change.key
  return {
    ...record,
    key,
    value,
    timestampMs: change.timestampMs ?? nowMs,
    headers: { ...record.headers, ...change.headers },
  }
}

function reasonOf(record: RawRecord, partitions = PARTITIONS): string {
  const decoded = decodeRecord(record, partitions)
  return decoded.kind === 'event' ? 'event' : decoded.reason
}

describe('a record', () => {
  test('is the table of the specification', () => {
    expect(encodeRecord(example)).toEqual({
      key: 'acme/task_01j9x8k2m4e7s9v0w1x2y3z4a5',
      value: example.data,
      headers: {
        ce_specversion: '1.0',
        ce_id: example.id,
        ce_type: 'task.progress',
        ce_source: '/tenants/acme/agents/analyzer',
        ce_subject: 'task_01j9x8k2m4e7s9v0w1x2y3z4a5',
        ce_time: '2026-11-25T08:45:37.123Z',
        'content-type': 'application/json',
        ce_tenant: 'acme',
        ce_taskid: 'task_01j9x8k2m4e7s9v0w1x2y3z4a5',
        ce_agent: 'analyzer',
        traceparent: example.traceparent,
      },
    })
  })

  test('is decoded to the event that was encoded, for any event', () => {
    const identifier = fc.stringMatching(/^[A-Za-z0-9_.:/-]{1,128}$/)
    const optional = fc.option(identifier)
    fc.assert(
      fc.property(
        fc.constantFrom(...EVENT_TYPES),
        identifier,
        optional,
        optional,
        fc.nat({ max: 1e9 }),
        (type, name, other, agent, age) => {
          const taskId = isSessionType(type) ? other : name
          const sessionId = isSessionType(type) ? name : other
          const data = Buffer.from(
            `{"${taskId === null ? 'session_id' : 'task_id'}":"${taskId ?? sessionId ?? ''}","x":1.0}`,
          )
          const event: LogEvent = {
            tenant: 'a-1',
            id: newEventId(nowMs - age),
            type,
            taskId,
            sessionId,
            agent,
            data,
            traceparent: null,
          }
          const record = rawRecord(event)
          expect(decodeRecord(record, PARTITIONS)).toEqual({ kind: 'event', event })
          expect(recordId(record)).toBe(event.id)
        },
      ),
    )
  })

  test('of another producer may have text headers, escapes in its first member and blanks', () => {
    const value = '{ "task\\u005fid" : "task_01j9x8k2m4e7s9v0w1x2y3z4a\\u0035" }'
    const headers = { 'content-type': 'application/json; charset=utf-8', ce_tenant: 'acme', traceparent: 'nonsense' }
    const decoded = decodeRecord(broken({ value, headers }), PARTITIONS)
    expect(decoded).toMatchObject({ kind: 'event', event: { data: Buffer.from(value), traceparent: null } })
    const later = { ...headers, traceparent: `cc${example.traceparent?.slice(2)}-more` }
    expect(decodeRecord(broken({ value, headers: later }), PARTITIONS)).toMatchObject({
      event: { traceparent: example.traceparent },
    })
  })
})

describe('a dead letter', () => {
  const missing = [
    'ce_specversion',
    'ce_id',
    'ce_type',
    'ce_source',
    'ce_subject',
    'ce_time',
    'content-type',
    'ce_tenant',
    'ce_taskid',
  ]
  test.each(missing)('is a record without %s', (name) => {
    expect(reasonOf(broken({ headers: { [name]: undefined } }))).toBe('missing_attribute')
  })

  test.each([...missing, 'ce_agent', 'ce_sessionid'])(
    'is a record with %s twice, or with an invalid value of it',
    (name) => {
      expect(reasonOf(broken({ headers: { [name]: [Buffer.from('a'), Buffer.from('a')] } }))).toBe('bad_attribute')
      expect(reasonOf(broken({ headers: { [name]: Buffer.from('\u00e9 ?') } }))).toBe(
        name === 'ce_type' ? 'unknown_type' : 'bad_attribute',
      )
    },
  )

  const longName = `{"task_id":"${example.taskId ?? ''}",`
  test.each([
    ['value_missing', null],
    ['value_not_utf8', Buffer.from([0x7b, 0xff, 0x7d])],
    ['value_not_json_object', ''],
    ['value_not_json_object', '[]'],
    ['value_not_json_object', '{"task_id":"x"'],
    ['value_not_json_object', '{"task_id":"x"} {}'],
    ['value_not_one_line', `${longName}\n"a":1}`],
    ['value_not_one_line', `${longName}"a":1}\r`],
    ['value_first_member', '{}'],
    ['value_first_member', '{"task_id":"other"}'],
    ['value_first_member', '{"task_id":7}'],
    ['value_first_member', `{"a":1,${longName.slice(1, -1)}}`],
    ['value_bad_string', `${longName}"a":"\\u0000"}`],
    ['value_bad_string', `${longName}"a":"\\udead"}`],
    ['value_duplicate_member', `${longName}"a":1,"\\u0061":2}`],
    ['value_too_deep', `${longName}"a":${'['.repeat(64)}${']'.repeat(64)}}`],
    ['value_too_large', `${longName}"a":"${'x'.repeat(LIMITS.dataBytesMax)}"}`],
  ])('%s: %#', (reason, value) => {
    expect(reasonOf(broken({ value }))).toBe(reason)
  })

  test('is a record under the wrong key or in the wrong partition', () => {
    expect(reasonOf(broken({ key: null }))).toBe('key_mismatch')
    expect(reasonOf(broken({ key: Buffer.from('other/task') }))).toBe('key_mismatch')
    const record = rawRecord(example)
    expect(reasonOf({ ...record, partition: (record.partition + 1) % PARTITIONS })).toBe('wrong_partition')
  })

  test('is a record whose id is out of the window around its append time', () => {
    const day = 86_400_000
    expect(reasonOf(broken({ timestampMs: nowMs + 91 * day }))).toBe('event')
    expect(reasonOf(broken({ timestampMs: nowMs + 91 * day + 1 }))).toBe('id_out_of_window')
    expect(reasonOf(broken({ timestampMs: nowMs - 600_000 }))).toBe('event')
    expect(reasonOf(broken({ timestampMs: nowMs - 600_001 }))).toBe('id_out_of_window')
  })

  test('never throws, on any bytes', () => {
    const header = fc.option(
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      { nil: undefined },
    )
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...missing), header), fc.uint8Array(), (headers, value) => {
        expect(['event', 'deadLetter']).toContain(
          decodeRecord(broken({ headers, value: Buffer.from(value) }), PARTITIONS).kind,
        )
      }),
    )
  })
})

test('the event object shows the raw payload and the millisecond of the id', () => {
  const text = renderEvent(example).toString()
  expect(text).not.toContain('\n')
  expect(text).toContain('"progress":0.30}')
  expect(JSON.parse(text)).toEqual({
    object: 'event',
    id: example.id,
    type: 'task.progress',
    created_at: '2026-11-25T08:45:37.123Z',
    task_id: example.taskId,
    agent: 'analyzer',
    session_id: null,
    data: { task_id: example.taskId, message: 'Analyzing document', progress: 0.3 },
  })
})
