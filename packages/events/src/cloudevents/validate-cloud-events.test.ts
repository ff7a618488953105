import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { deriveEventId, newEventId } from '../event-id.ts'
import { toEnd } from '../validation/test-to-end.ts'
import type { ValidatedEvent } from '../validation/validation.ts'
import { validateBinaryCloudEvent, validateCloudEvents } from './validate-cloud-events.ts'

const NOW_MS = Date.UTC(2026, 10, 25, 8, 45, 37, 123)
const CONTEXT = { tenant: 'acme', nowMs: NOW_MS, traceparent: null }
const TIME = '2026-11-25T08:45:37.123Z'
const ID = newEventId(NOW_MS)
const EVENT = {
  specversion: '1.0',
  id: ID,
  source: '/fleet/1',
  type: 'task.progress',
  subject: 't1',
  data: { message: 'm' },
}

const validate = (body: string | Buffer, mode: 'structured' | 'batched' = 'structured') =>
  toEnd(validateCloudEvents(Buffer.from(body), mode, CONTEXT)).result
const structured = (event: unknown) => validate(JSON.stringify(event))

function accepted(event: unknown): ValidatedEvent {
  const result = structured(event)
  const [entry] = result.type === 'entries' ? result.entries : []
  if (entry?.ok !== true) throw new Error(JSON.stringify(result))
  return entry.event
}

function refusal(event: unknown): string {
  const result = structured(event)
  if (result.type === 'invalid') return `${result.status} ${result.code}`
  const [entry] = result.entries
  return entry?.ok === false ? `${entry.error.code} ${entry.error.pointer}` : 'accepted'
}

describe('a structured CloudEvent', () => {
  test('keeps an id of ours, and the bytes of data', () => {
    const text = JSON.stringify(EVENT).replace('"m"', '"m","n":1.0')
    const result = validate(text)
    expect(result).toMatchObject({
      type: 'entries',
      single: true,
      entries: [{ ok: true, event: { id: ID, taskId: 't1' } }],
    })
    if (result.type === 'entries' && result.entries[0]?.ok === true)
      expect(result.entries[0].event.data.toString()).toBe('{"task_id":"t1","message":"m","n":1.0}')
  })

  test('with another id has an id that source, id and time give, whenever it is posted', () => {
    const foreign = { ...EVENT, id: '42', time: TIME }
    const { id } = accepted(foreign)
    expect(accepted(foreign).id).toBe(id)
    expect(accepted({ ...foreign, source: '/fleet/2' }).id).not.toBe(id)
    expect(accepted({ ...foreign, id: '43' }).id).not.toBe(id)
    expect(id.slice(0, 14)).toBe(deriveEventId(NOW_MS, 'acme', 'x').slice(0, 14))
  })

  test.each([
    ['subject is the task', {}, 't1', null],
    ['taskid wins over subject', { taskid: 't2' }, 't2', null],
    ['sessionid is kept with it', { sessionid: 's1' }, 't1', 's1'],
    ['subject is the session of session.*', { type: 'session.closed', data: {} }, null, 't1'],
    ['sessionid wins over subject', { type: 'session.closed', data: {}, sessionid: 's1' }, null, 's1'],
    ['null is absent', { taskid: null, agent: null }, 't1', null],
  ])('%s', (_, changes, taskId, sessionId) => {
    expect(accepted({ ...EVENT, ...changes })).toMatchObject({ taskId, sessionId })
  })

  test('with taskid has no session by its subject', () => {
    const event = { ...EVENT, type: 'session.closed', data: {}, taskid: 't1', subject: 's1' }
    expect(refusal(event)).toBe('required /sessionid')
  })

  test.each(['application/json', 'application/json; charset=utf-8', 'application/vnd.fleet+json', 'text/json'])(
    'whose data is of type %s is taken',
    (datacontenttype) => {
      expect(accepted({ ...EVENT, datacontenttype, dataschema: 'https://x/', traceparent: '00', other: 7 }).id).toBe(ID)
    },
  )

  test.each([
    ['no specversion', { specversion: undefined }, 'required /specversion'],
    ['another version', { specversion: '0.3' }, 'invalid_value /specversion'],
    ['a version that is a number', { specversion: 1 }, 'invalid_type /specversion'],
    ['no id', { id: '' }, 'required /id'],
    ['no source', { source: undefined }, 'required /source'],
    ['no time with its own id', { id: '42' }, 'required /time'],
    ['a time that is none', { id: '42', time: 'now' }, 'invalid_value /time'],
    ['a time that is too old', { id: '42', time: '2020-01-01T00:00:00Z' }, 'out_of_range /time'],
    ['another time than that of its id', { time: '2026-11-25T08:45:38Z' }, 'invalid_value /time'],
    ['an unknown type', { type: 'task.deleted' }, 'invalid_value /type'],
    ['no task', { subject: undefined }, 'required /subject'],
    ['a bad task', { taskid: 'a b' }, 'invalid_value /taskid'],
    ['a bad agent', { agent: 'ä' }, 'invalid_value /agent'],
    ['a tenant', { tenant: 'other' }, 'unknown_member /tenant'],
    ['a tenant that is a number', { tenant: 7 }, 'unknown_member /tenant'],
    ['data in base64', { data: undefined, data_base64: 'e30=' }, 'unknown_member /data_base64'],
    ['data of another type', { datacontenttype: 'text/xml' }, 'invalid_value /datacontenttype'],
    ['data that is no object', { data: 'x' }, 'invalid_type /data'],
    ['no data', { data: undefined }, 'required /data'],
    ['a member of data that is wrong', { data: { message: 7 } }, 'invalid_type /data/message'],
  ])('with %s is refused by the name of the attribute', (_, changes, expected) => {
    expect(refusal({ ...EVENT, ...changes })).toBe(expected)
  })

  test('with an attribute twice is refused', () => {
    const text = JSON.stringify(EVENT).replace('{', '{"id":"a",')
    expect(validate(text)).toMatchObject({
      entries: [{ ok: false, error: { code: 'invalid_value', pointer: '/id' } }],
    })
  })

  test.each([
    ['', 422, 'missing_body'],
    ['{"id":', 400, 'malformed_json'],
    ['{} {}', 400, 'malformed_json'],
    ['[]', 422, 'invalid_type'],
    ['7', 422, 'invalid_type'],
  ])('that is the body %j is refused as a whole', (text, status, code) => {
    expect(validate(text)).toMatchObject({
      type: 'invalid',
      status,
      code,
    })
  })
})

describe('a batch of CloudEvents', () => {
  test('has a result for each, in input order', () => {
    const second = { ...EVENT, id: newEventId(NOW_MS), specversion: '0.3' }
    const body = Buffer.from(JSON.stringify([second, EVENT, 7, { ...EVENT, type: 'x' }]))
    expect(validate(body, 'batched')).toMatchObject({
      single: false,
      entries: [
        { ok: false, error: { pointer: '/specversion' } },
        { ok: true, event: { id: ID } },
        { ok: false, error: { code: 'invalid_type', pointer: '' } },
        { ok: false, error: { code: 'invalid_value', pointer: '/type' } },
      ],
    })
  })

  test.each([
    ['', 422, 'missing_body'],
    ['{}', 422, 'invalid_type'],
    ['[]', 422, 'empty_batch'],
    [`[${'0,'.repeat(1000)}0]`, 413, 'too_many_events'],
  ])('that is the body %j is refused as a whole', (text, status, code) => {
    expect(validate(text, 'batched')).toMatchObject({ type: 'invalid', status, code })
  })
})

const binary = (changes: Readonly<Record<string, string>>, body = '{"message":"m"}') => {
  const { data: _, ...attributes } = EVENT
  return toEnd(
    validateBinaryCloudEvent(new Map(Object.entries({ ...attributes, ...changes })), Buffer.from(body), CONTEXT),
  ).result
}

describe('a binary CloudEvent', () => {
  test('is read from headers and body', () => {
    expect(binary({})).toMatchObject({ single: true, entries: [{ ok: true, event: { id: ID, taskId: 't1' } }] })
  })

  test.each([
    [{ type: 'x' }, undefined, { parameter: 'ce-type', code: 'invalid_value' }],
    [{ tenant: 'x' }, undefined, { parameter: 'ce-tenant', code: 'unknown_member' }],
    [{ id: '1' }, undefined, { parameter: 'ce-time', code: 'required' }],
    [{}, '{"message":7}', { pointer: '/message', code: 'invalid_type' }],
    [{}, '7', { pointer: '', code: 'invalid_type' }],
    [{}, '', { pointer: '', code: 'required' }],
  ])('(%j, body %j) is refused by the name of the header, or by a pointer into the body', (changes, body, error) => {
    expect(binary(changes as Record<string, string>, body)).toMatchObject({ entries: [{ ok: false, error }] })
  })

  test('cannot add members to its event by a body that is not one value', () => {
    expect(binary({}, '{"message":"m"},"agent":"x"')).toMatchObject({ type: 'invalid', status: 400 })
  })
})

test('no body and no attributes make it throw', () => {
  fc.assert(
    fc.property(fc.json(), fc.dictionary(fc.string(), fc.string()), fc.boolean(), (text, attributes, whole) => {
      const body = Buffer.from(whole ? text : text.slice(1))
      validate(body)
      validate(Buffer.concat([Buffer.from('['), body, Buffer.from(']')]), 'batched')
      toEnd(validateBinaryCloudEvent(new Map(Object.entries(attributes)), body, CONTEXT))
    }),
    { numRuns: 1000 },
  )
})
