import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { catalogue } from '../catalogue/catalogue.ts'
import { deriveEventId, eventIdMs, newEventId } from '../event-id.ts'
import { EVENT_TYPES, isSessionType } from '../event-type.ts'
import { LIMITS } from '../limits.ts'
import { costOf } from '../json/test-cost-of.ts'
import { toEnd } from './test-to-end.ts'
import { validateEvents } from './validate-events.ts'
import type { ValidatedEntry, ValidationResult } from './validation.ts'

const nowMs = Date.parse('2026-11-25T08:45:37.123Z')
const context = { tenant: 'acme', nowMs, traceparent: null }

function validate(body: string | Buffer, kind: 'json' | 'ndjson' = 'json'): ValidationResult {
  return toEnd(validateEvents(Buffer.from(body), kind, context)).result
}

function entriesOf(result: ValidationResult): readonly ValidatedEntry[] {
  if (result.type !== 'entries') throw new Error(`no entries: ${JSON.stringify(result)}`)
  return result.entries
}

/** The stored payload, or the error, of a body that holds one event. */
function one(body: string, kind: 'json' | 'ndjson' = 'json') {
  const entries = entriesOf(validate(body, kind))
  expect(entries).toHaveLength(1)
  const [entry] = entries
  if (!entry) throw new Error('no entry')
  return entry.ok ? { ...entry.event, data: entry.event.data.toString() } : entry.error
}

function progress(data: string): string {
  return `{"type":"task.progress","task_id":"t1","data":${data}}`
}

/** What becomes of an event of so many days ago, where events are kept for so many. */
function fateOf(ageDays: number, historyDays: number): string {
  const createdAt = new Date(nowMs - ageDays * 86_400_000).toISOString()
  const body = `{"created_at":"${createdAt}","type":"task.progress","task_id":"t","data":{"message":"m"}}`
  const history = { ...context, historyMs: historyDays * 86_400_000 }
  const [entry] = entriesOf(toEnd(validateEvents(Buffer.from(body), 'json', history)).result)
  return entry?.ok === false ? entry.error.message : 'valid'
}

test('an event that is older than what this installation keeps is refused, 90 days at most', () => {
  expect(fateOf(40, 40)).toBe('valid')
  expect(fateOf(41, 40)).toBe('is older than the 40 days of history that are kept')
  expect(fateOf(90, 400)).toBe('valid')
  expect(fateOf(91, 400)).toBe('is older than the 90 days of history that are kept')
})

describe('the caller\u2019s bytes are kept', () => {
  test.each([
    ['numbers', '{"message":"m","n":[1.0,1e400,-0,0.10,9223372036854775808,1E+2,18446744073709551616.000]}'],
    ['escapes', '{"message":"\\u0041\\/\\ud83d\\ude00\\n","\\u0062":"b"}'],
    ['deeper doubles', '{"message":"m","x":{"a":1,"a":2}}'],
    ['the order of members', '{"z":1,"message":"m","a":2,"10":3,"2":4}'],
    ['letters beyond ASCII', '{"message":"Größe 漢字 \u{1f600}"}'],
    ['a member named __proto__', '{"message":"m","__proto__":{"x":1}}'],
  ])('%s', (_what, data) => {
    expect(one(progress(data))).toMatchObject({ data: `{"task_id":"t1",${data.slice(1)}` })
  })

  test('with any payload and white space: only white space is removed, and task_id is first', () => {
    const payload = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ stringUnit: 'grapheme' }))
    fc.assert(
      fc.property(payload, fc.nat({ max: 4 }), fc.nat(), fc.boolean(), (random, indent, place, named) => {
        const members = Object.entries(random).filter(([name, value]) => {
          const text = JSON.stringify([name, value])
          return (
            name !== 'task_id' &&
            name !== 'message' &&
            name !== 'progress' &&
            !/(?<!\\)(\\\\)*\\u(0000|d[89a-f])/i.test(text)
          )
        })
        members.push(['message', 'm'])
        if (named) members.splice(place % (members.length + 1), 0, ['task_id', 't1'])
        const body = members.map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value, null, indent)}`)
        const compact = members
          .filter(([name]) => name !== 'task_id')
          .map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`)
        const sent = progress(` {\r\n\t${body.join(' ,\n ')} } `)
        expect(one(sent)).toMatchObject({ data: `{"task_id":"t1",${compact.join(',')}}` })
      }),
    )
  })

  test('a payload that has its form already is not copied', () => {
    const body = Buffer.from(progress('{"task_id":"t1","message":"m"}'))
    const [entry] = entriesOf(toEnd(validateEvents(body, 'json', context)).result)
    if (!entry?.ok) throw new Error('refused')
    expect(entry.event.data.buffer).toBe(body.buffer)
    expect(entry.event.data.toString()).toBe('{"task_id":"t1","message":"m"}')
  })

  test.each([
    ['{"message":"m","task_id":"t1"}'],
    ['{"message":"m", "task_id" : "t1" , "x":1}'],
    ['{ "task_id" : "t1" , "message":"m" }'],
    ['{"task\\u005fid":"\\u00741","message":"m"}'],
    ['{"message":"m"}'],
  ])('%s gets task_id as its first member, once', (data) => {
    const event = one(progress(data))
    if (!('data' in event)) throw new Error(JSON.stringify(event))
    expect(event.data.startsWith('{"task_id":"t1","message":"m"')).toBe(true)
    expect(event.data.match(/task/g)).toHaveLength(1)
  })

  test('an empty payload of a session gets session_id', () => {
    expect(one('{"type":"session.closed","session_id":"s","data":{ }}')).toMatchObject({
      data: '{"session_id":"s"}',
      taskId: null,
    })
    expect(one('{"type":"session.closed","session_id":"s","task_id":"t","data":{"session_id":7}}')).toMatchObject({
      data: '{"task_id":"t","session_id":7}',
    })
  })
})

describe('the catalogue', () => {
  test.each(EVENT_TYPES)('accepts the example of %s and names a missing required member', (type) => {
    const names = isSessionType(type) ? { session_id: 's1' } : { task_id: 't1', agent: 'a' }
    const { example, schema } = catalogue[type]
    expect(one(JSON.stringify({ type, ...names, data: example }))).toMatchObject({ type })
    const needed = (schema['required'] as readonly string[] | undefined) ?? []
    for (const name of needed) {
      const lacking = Object.fromEntries(Object.entries(example).filter(([member]) => member !== name))
      expect(one(JSON.stringify({ type, ...names, data: lacking }))).toEqual({
        code: 'required',
        pointer: `/data/${name}`,
        message: 'is required',
      })
    }
  })

  test.each([
    ['task.progress', '{"message":"m","progress":1.01}', '/data/progress', 'out_of_range'],
    ['task.progress', '{"message":"m","progress":"0.5"}', '/data/progress', 'invalid_type'],
    ['task.progress', '{"message":"m","progress":1e400}', '/data/progress', 'invalid_type'],
    ['task.complete', '{"artifact_count":1.5}', '/data/artifact_count', 'invalid_type'],
    ['task.complete', '{"artifact_count":-1}', '/data/artifact_count', 'out_of_range'],
    ['task.failed', '{"error":{"message":1}}', '/data/error/message', 'invalid_type'],
    ['approval.requested', '{"approval_id":"a","expires_at":"soon"}', '/data/expires_at', 'invalid_value'],
    ['approval.resolved', '{"approval_id":"a","decision":"maybe"}', '/data/decision', 'invalid_value'],
    ['tool_call.executed', '{"tool":"t","status":"fine"}', '/data/status', 'invalid_value'],
  ])('refuses %s %s at %s', (type, data, pointer, code) => {
    expect(one(`{"type":"${type}","task_id":"t","data":${data}}`)).toMatchObject({ pointer, code })
  })

  test('takes integers in any spelling', () => {
    expect(one('{"type":"task.complete","task_id":"t","data":{"artifact_count":1.0}}')).toMatchObject({
      data: '{"task_id":"t","artifact_count":1.0}',
    })
  })
})

const nested = (inner: string, levels: number) => `${'['.repeat(levels)}${inner}${']'.repeat(levels)}`
/** A request may have 5 MiB: the fault is at the end of it, in the deepest of 63 levels. */
const buried = (inner: string) =>
  `{"message":"m","x":${'[0,'.repeat(61)}["${'x'.repeat(4_000_000)}",${inner}]${']'.repeat(61)}}`
const deep = (levels: number) => `{"message":"m","x":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`
const sized = (bytes: number) => `{"message":"${'x'.repeat(bytes - '{"task_id":"t1","message":""}'.length)}"}`

describe('the fault is named', () => {
  test.each([
    ['an unknown member', '{"type":"task.progress","task_id":"t","data":{},"a/b":1}', '/a~1b', 'unknown_member'],
    [
      'a doubled member',
      '{"type":"task.progress","task_id":"t","data":{"message":"m"},"t\\u0079pe":"x"}',
      '/type',
      'invalid_value',
    ],
    ['a doubled member of data', progress('{"message":"m","a":1,"\\u0061":2}'), '/data/a', 'invalid_value'],
    ['no type', '{"task_id":"t","data":{"message":"m"}}', '/type', 'required'],
    ['a null type', '{"type":null,"task_id":"t","data":{"message":"m"}}', '/type', 'required'],
    ['an unknown type', '{"type":"task.done","task_id":"t","data":{}}', '/type', 'invalid_value'],
    ['a type that is no string', '{"type":7,"task_id":"t","data":{}}', '/type', 'invalid_type'],
    ['no task_id', '{"type":"task.progress","session_id":"s","data":{"message":"m"}}', '/task_id', 'required'],
    ['no session_id', '{"type":"session.closed","task_id":"t","data":{}}', '/session_id', 'required'],
    ['an empty task_id', '{"type":"task.progress","task_id":"","data":{"message":"m"}}', '/task_id', 'invalid_value'],
    [
      'a long agent',
      `{"type":"task.progress","task_id":"t","agent":"${'a'.repeat(129)}","data":{"message":"m"}}`,
      '/agent',
      'invalid_value',
    ],
    [
      'a blank in agent',
      '{"type":"task.progress","task_id":"t","agent":"a b","data":{"message":"m"}}',
      '/agent',
      'invalid_value',
    ],
    ['no data', '{"type":"task.progress","task_id":"t"}', '/data', 'required'],
    ['null data', '{"type":"task.progress","task_id":"t","data":null}', '/data', 'required'],
    ['data that is an array', '{"type":"task.progress","task_id":"t","data":[]}', '/data', 'invalid_type'],
    ['another task_id in data', progress('{"message":"m","task_id":"t2"}'), '/data/task_id', 'invalid_value'],
    ['a task_id in data that is no string', progress('{"message":"m","task_id":1}'), '/data/task_id', 'invalid_value'],
    ['\\u0000', progress('{"message":"m","a":[{"b/c":"x\\u0000"}]}'), '/data/a/0/b~1c', 'invalid_value'],
    [
      '\\u0000 after siblings',
      progress('{"message":"m", "a" : [1, [2], [], {}, {"x":{"y":0},"z":[{"p":1,"q":"\\u0000"}]}],"b":1}'),
      '/data/a/4/z/0/q',
      'invalid_value',
    ],
    ['\\u0000 under a million levels of arrays', progress(nested('"\\u0000"', 1_000_000)), '/data', 'invalid_type'],
    ['more than 256 KiB, with any other fault', progress(buried('"\\u0000"')), '/data', 'too_long'],
    ['a lone surrogate', progress('{"message":"\\ud800"}'), '/data/message', 'invalid_value'],
    ['a lone surrogate in a name', progress('{"message":"m","a":{"\\udc00":1}}'), '/data/a/\udc00', 'invalid_value'],
    [
      '\\u0000 in the agent',
      '{"type":"task.progress","task_id":"t","agent":"\\u0000","data":{"message":"m"}}',
      '/agent',
      'invalid_value',
    ],
    ['65 levels', progress(deep(65)), '/data', 'out_of_range'],
    ['a million levels', progress(deep(1_000_000)), '/data', 'too_long'],
    ['256 KiB and a byte', progress(sized(LIMITS.dataBytesMax + 1)), '/data', 'too_long'],
    [
      'an id that is none',
      '{"id":"evt_1","type":"task.progress","task_id":"t","data":{"message":"m"}}',
      '/id',
      'invalid_value',
    ],
    [
      'a date only',
      '{"created_at":"2026-11-25","type":"task.progress","task_id":"t","data":{"message":"m"}}',
      '/created_at',
      'invalid_value',
    ],
    [
      'a time out of history',
      '{"created_at":"2026-08-01T00:00:00Z","type":"task.progress","task_id":"t","data":{"message":"m"}}',
      '/created_at',
      'out_of_range',
    ],
    [
      'a time ahead',
      '{"created_at":"2026-11-25T08:51:00Z","type":"task.progress","task_id":"t","data":{"message":"m"}}',
      '/created_at',
      'out_of_range',
    ],
    [
      'a key without a time',
      '{"idempotency_key":"k","type":"task.progress","task_id":"t","data":{"message":"m"}}',
      '/created_at',
      'required',
    ],
    [
      'an empty key',
      '{"idempotency_key":"","created_at":"2026-11-25T08:45:00Z","type":"task.progress","task_id":"t","data":{"message":"m"}}',
      '/idempotency_key',
      'invalid_value',
    ],
  ])('%s', (_what, body, pointer, code) => {
    expect(one(body)).toMatchObject({ pointer, code })
  })

  test.each([
    ['taskId', 'is not a member of an event. Did you mean task_id?'],
    ['events', 'is not a member of an event: post the array itself'],
    ['x'.repeat(60), expect.stringContaining(', which are type, task_id, data, agent, session_id, id, created_at, ')],
  ])('an unknown member gets the nearest name, or all: %s', (name, message) => {
    expect(one(`{"type":"task.progress","data":{"message":"m"},"${name}":"t"}`)).toMatchObject({ message })
  })

  test('the limits themselves are allowed', () => {
    expect(one(progress(deep(64)))).toMatchObject({ id: expect.anything() })
    const event = one(progress(sized(LIMITS.dataBytesMax)))
    expect(event).toMatchObject({ id: expect.anything() })
    expect('data' in event && event.data.length).toBe(LIMITS.dataBytesMax)
  })
})

function post(members: object) {
  return one(JSON.stringify({ ...members, type: 'task.progress', task_id: 't', data: { message: 'm' } }))
}

describe('ids', () => {
  test('are minted from the clock, or from created_at', () => {
    const minted = post({})
    const dated = post({ created_at: '2026-11-01T00:00:00.0019Z' })
    if (!('id' in minted) || !('id' in dated)) throw new Error('refused')
    expect(eventIdMs(minted.id)).toBe(nowMs)
    expect(eventIdMs(dated.id)).toBe(Date.parse('2026-11-01T00:00:00.001Z'))
  })

  test('are the caller\u2019s, if they agree with created_at to the millisecond', () => {
    const id = newEventId(nowMs - 1000)
    expect(post({ id })).toMatchObject({ id })
    expect(post({ id, created_at: new Date(nowMs - 1000).toISOString() })).toMatchObject({ id })
    expect(post({ id, created_at: new Date(nowMs - 1001).toISOString() })).toMatchObject({
      code: 'invalid_value',
      pointer: '/created_at',
    })
    expect(post({ id: newEventId(nowMs + 301_000) })).toMatchObject({ code: 'out_of_range', pointer: '/id' })
  })

  test('are derived from the key, and a retry that brings the derived id along is the same event', () => {
    const created_at = new Date(nowMs - 5).toISOString()
    const id = deriveEventId(nowMs - 5, 'acme', 'k')
    expect(post({ created_at, idempotency_key: 'k' })).toMatchObject({ id })
    expect(post({ id, created_at, idempotency_key: 'k' })).toMatchObject({ id })
    expect(post({ id, created_at, idempotency_key: 'other' })).toMatchObject({ code: 'invalid_value', pointer: '/id' })
    expect(post({ created_at, idempotency_key: '\u{1f600}'.repeat(128) })).toMatchObject({ id: expect.anything() })
    expect(post({ created_at, idempotency_key: '\u{1f600}'.repeat(129) })).toMatchObject({ code: 'invalid_value' })
  })

  test('rise in the order of the request', () => {
    const entries = entriesOf(validate(`[${Array.from({ length: 1000 }, () => progress('{"message":"m"}')).join()}]`))
    const ids = entries.map((entry) => (entry.ok ? entry.event.id : ''))
    expect(ids.toSorted()).toEqual(ids)
    expect(new Set(ids).size).toBe(1000)
  })

  test('of a refused entry are named if they are valid', () => {
    const id = newEventId(nowMs)
    expect(entriesOf(validate(`[{"id":"${id}","type":"nope"},{"id":"nope"}]`))).toEqual([
      { ok: false, id, error: expect.anything() },
      { ok: false, error: expect.anything() },
    ])
  })
})

describe('bodies', () => {
  test.each([
    ['nothing', '', 422, 'missing_body'],
    ['half an object', '{"type":', 400, 'malformed_json'],
    ['text after the object', `${progress('{"message":"m"}')}x`, 400, 'malformed_json'],
    ['a malformed second entry', `[${progress('{"message":"m"}')},{]`, 400, 'malformed_json'],
    ['a string', '"x"', 422, 'invalid_type'],
    ['an empty array', ' [ ] ', 422, 'empty_batch'],
    ['1,001 entries', `[${'1,'.repeat(1000)}1]`, 413, 'too_many_events'],
  ])('%s', (_what, body, status, code) => {
    expect(validate(body)).toMatchObject({ type: 'invalid', status, code })
  })

  test('that are not UTF-8', () => {
    expect(validate(Buffer.from([0x22, 0xc3, 0x28, 0x22]))).toMatchObject({ status: 400, code: 'invalid_utf8' })
    expect(validate(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]))).toMatchObject({ status: 400, code: 'invalid_utf8' })
  })

  test('of 1,000 entries that are no events refuse each one', () => {
    expect(entriesOf(validate(`[${'1,'.repeat(999)}{}]`)).map((entry) => entry.ok)).toEqual(
      Array.from({ length: 1000 }, () => false),
    )
  })

  test('of NDJSON: blank lines do not count, an unreadable line is one refused entry', () => {
    const good = progress('{"message":"m"}')
    const lines = Buffer.concat([
      Buffer.from(`\n${good}\r\n  \n{bad\n${good} ${good}\n"`),
      Buffer.from([0xff]),
      Buffer.from(`"\n${good}`),
    ])
    const entries = entriesOf(validate(lines, 'ndjson'))
    expect(entries.map((entry) => (entry.ok ? 'ok' : entry.error.code))).toEqual([
      'ok',
      'malformed_json',
      'malformed_json',
      'invalid_utf8',
      'ok',
    ])
    expect(validate('\n \n', 'ndjson')).toMatchObject({ status: 422, code: 'empty_batch' })
    expect(validate('1\n'.repeat(1001), 'ndjson')).toMatchObject({ status: 413 })
  })

  test('of any bytes never make it throw', () => {
    const start = progress('{"message":"m","a":[1,{"b":"\\u00e9"}]}')
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 }),
        fc.constantFrom('json' as const, 'ndjson' as const),
        (edits, kind) => {
          const body = Buffer.from(start)
          for (const [place, byte] of edits) body[place % body.length] = byte
          expect(['entries', 'invalid']).toContain(toEnd(validateEvents(body, kind, context)).result.type)
        },
      ),
      { numRuns: 1000 },
    )
  })
})

test.each(['"event"', '"list"', 'null', '{"a":1}'])('object is ignored with any value: %s', (value) => {
  const body = `{"object":${value},"type":"task.progress","task_id":"t","data":{"message":"m"}}`
  expect(validate(body)).toMatchObject({ type: 'entries', entries: [{ ok: true }] })
})

describe('the cost of a body', () => {
  const bytes = 4_000_000
  const fill = (entry: (at: number) => string): string => {
    const entries: string[] = []
    for (let length = 0; length < bytes; length += (entries.at(-1)?.length ?? 0) + 1)
      entries.push(entry(entries.length))
    return entries.join(',')
  }
  const names = Array.from({ length: 29_000 }, (_, at) => `"${at.toString(36)}":0`).join(',')
  const usual = `[${Array(1000)
    .fill(progress(sized(4000)))
    .join(',')}]`

  test.each<[string, string, 'json' | 'ndjson']>([
    ['member names', progress(`{${fill((at) => `"n${at}":0`)}}`), 'json'],
    ['unknown members', `{${fill((at) => `"n${at}":0`)}}`, 'json'],
    ['unknown members with escapes', `{${fill((at) => `"\\u0078${at}":0`)}}`, 'json'],
    ['a name of 4 MB', progress(`{"${'~'.repeat(bytes)}":"\\u0000"}`), 'json'],
    ['line ends', '\n'.repeat(bytes), 'ndjson'],
    [
      'legal payloads of many members',
      `[${Array(16)
        .fill(progress(`{"message":"m",${names}}`))
        .join(',')}]`,
      'json',
    ],
    ['an object of two million levels', `{"object":${nested('"\\u0000"', 2_000_000)}}`, 'json'],
  ])('of %s is at most forty times that of a usual batch of as many bytes', (_what, body, kind) => {
    const [given, like] = [Buffer.from(body), Buffer.from(usual)]
    const usualMs = costOf(() => toEnd(validateEvents(like, 'json', context)), { runs: 3, enoughMs: 0 })
    const boundMs = 40 * Math.max(10, usualMs)
    const run = () => toEnd(validateEvents(given, kind, context))
    expect(costOf(run, { runs: 10, enoughMs: boundMs })).toBeLessThan(boundMs)
  })
})

describe("a body is validated in slices of the event loop's time", () => {
  const part = fc.oneof(
    fc.constantFrom(
      '"type":"task.progress"',
      '"task_id" : "t\\u0031"',
      '"agent":[1,{"a":"\\ud800"}]',
      '"x\\u0079z":null',
      '"object":{"a":[[],{}]}',
      '"created_at":"2026-11-25T08:45:00Z"',
      '"data":{"message":"\\ud83d\\ude00", "n" : [ 1.0 , -2e5 ]}',
      '"data":{"message":"m","a":1,"\\u0061":2}',
      '"data":{"message":"\\u0000"}',
    ),
    fc.json({ maxDepth: 3 }).map((value) => `"data":{"message":"m","x":${value}}`),
  )
  const event = fc.array(part, { maxLength: 5 }).map((parts) => `{${parts.join(' ,')}}`)
  const body = fc.oneof(
    fc.array(event, { maxLength: 4 }).map((events) => `[${events.join(',')}]`),
    fc.array(event, { maxLength: 4 }).map((events) => events.join('\n \n')),
    fc.json(),
  )

  test('of any length, with the same result as in one slice', () => {
    fc.assert(
      fc.property(
        body,
        fc.array(fc.tuple(fc.nat(), fc.constantFrom(...Array.from('{}[],:"\\0 \n'))), { maxLength: 2 }),
        fc.constantFrom('json' as const, 'ndjson' as const),
        fc.integer({ min: 1, max: 20 }),
        (text, edits, kind, sliceBytes) => {
          const bytes = Buffer.from(text)
          for (const [place, char] of edits) bytes.write(char, place % Math.max(1, bytes.length))
          const { result } = toEnd(validateEvents(bytes, kind, context, sliceBytes))
          expect(withoutIds(result)).toEqual(withoutIds(toEnd(validateEvents(bytes, kind, context)).result))
        },
      ),
      { numRuns: 3000 },
    )
  })

  const bytes = 2_000_000
  test.each<[string, string, 'json' | 'ndjson']>([
    ['members', progress(`{${many('"n":0')}}`), 'json'],
    ['unknown members', `{${many('"\\u0078":0')}}`, 'json'],
    ['a long name', progress(`{"${'~'.repeat(bytes)}":0}`), 'json'],
    ['a long string in a list', `[["${'\\n'.repeat(bytes / 2)}"]]`, 'json'],
    ['values', `{"object":[${many('{"a":[0]}')}]}`, 'json'],
    ['brackets', '['.repeat(bytes), 'json'],
    [
      'events',
      `[${Array(1000)
        .fill(progress(sized(2000)))
        .join(',')}]`,
      'json',
    ],
    ['empty lines', ' \n'.repeat(bytes / 2), 'ndjson'],
  ])('one for each 16 KiB of %s', (_what, text, kind) => {
    const { slices } = toEnd(validateEvents(Buffer.from(text), kind, context))
    expect(slices).toBeGreaterThanOrEqual(Math.floor(text.length / 16_384))
  })

  test('two at a time do not disturb one another', () => {
    const validations = ['a', 'b'].map((agent) => {
      const text = progress('{"message":"m","list":[1,2,3]}').replace('{', `{"agent":"${agent}",`)
      return validateEvents(Buffer.from(text), 'json', context, 8)
    })
    const results: ValidationResult[] = []
    while (results.length < 2) {
      for (const validation of validations) {
        const step = validation.next()
        if (step.done === true && step.value !== undefined) results.push(step.value)
      }
    }
    expect(results.flatMap(entriesOf).map((entry) => entry.ok && entry.event.agent)).toEqual(['a', 'b'])
  })
})

function many(text: string): string {
  return Array(Math.ceil(2_000_000 / (text.length + 1)))
    .fill(text)
    .join(',')
}

/** Minted ids differ each time. */
function withoutIds(result: ValidationResult): unknown {
  if (result.type === 'invalid') return result
  return result.entries.map((entry) =>
    entry.ok ? { ...entry.event, id: '', data: entry.event.data.toString() } : entry,
  )
}
