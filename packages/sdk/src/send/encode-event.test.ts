import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { parseTimestamp } from '@ariftly/events'
import { EventRefusedError } from '../errors.ts'
import type { NewEvent } from '../types.ts'
import { decodeEvent, encodeEvent, jsonOf, readEncoded, utf8Length } from './encode-event.ts'
import { EventIdMinter } from './event-id.ts'

const NOW_MS = Date.UTC(2026, 10, 25)
const encode = (event: Partial<NewEvent> | Record<string, unknown>) => encodeEvent(event as NewEvent, NOW_MS)
const TIMES = [
  '2026-11-25T08:45:37.123',
  '2026-11-25 08:45',
  '2026-11-25T08:45:37',
  '2026-11-25T08:45:37Z',
  '2026-11-25T10:45:37+02:00',
  '2026-11-25T03:15:37-0530',
]
const progress = (data: unknown) => ({ type: 'task.progress', task_id: 't', data })

describe('encodeEvent', () => {
  test('keeps raw JSON text and bytes untouched', () => {
    const raw = '{ "n": 1.0,\n "big": 9007199254740993 }'
    for (const data of [raw, new TextEncoder().encode(raw)]) {
      const encoded = encode(progress(data))
      expect(jsonOf(encoded, 'evt_1').endsWith(`,"data":${raw}}`)).toBe(true)
      expect(decodeEvent(encoded, 'evt_1')).toMatchObject({
        id: 'evt_1',
        type: 'task.progress',
        task_id: 't',
        data: raw,
      })
    }
  })

  test.each([
    ['text that is no JSON', '{"a":'],
    ['bytes that are no UTF-8', new Uint8Array([0x7b, 0xff, 0x7d])],
    ['half a surrogate pair', '{"a":"\uD800"}'],
  ])('refuses %s without the server, with a pointer to data', (_, data) => {
    expect(() => encode(progress(data))).toThrow(expect.objectContaining({ code: 'malformed_json', pointer: '/data' }))
  })

  test('refuses an event that is larger than a request before it is queued', () => {
    expect(() => encode(progress({ message: 'x'.repeat(5 * 1024 * 1024) }))).toThrow(EventRefusedError)
  })

  test("takes the caller's id, mints one from created_at or the call, and leaves an idempotency key's to the server", () => {
    const id = new EventIdMinter().mint(NOW_MS)
    expect(encode({ ...progress({}), id })).toMatchObject({ id, mintedOf: undefined })
    expect(JSON.parse(jsonOf(encode({ ...progress({}), id }), id))).toEqual({ ...progress({}), id })
    expect(encode(progress({}))).toMatchObject({ id: undefined, mintedOf: 'call', atMs: NOW_MS })
    const created = encode({ ...progress({}), id: null, created_at: '2026-11-01T00:00:00.000Z' })
    expect(created).toMatchObject({ id: undefined, mintedOf: 'created_at', atMs: Date.UTC(2026, 10, 1) })
    const derived = encode({ ...progress({}), created_at: '2026-11-01T00:00:00Z', idempotency_key: 'k' })
    expect(derived).toMatchObject({ id: undefined, mintedOf: undefined })
    expect(() => encode({ ...progress({}), created_at: 'yesterday' })).toThrow(
      expect.objectContaining({ pointer: '/created_at' }),
    )
  })

  test('sends members that it does not know, so that the server names them', () => {
    expect(JSON.parse(jsonOf(encode({ ...progress({}), taskid: 'x' }), undefined))).toHaveProperty('taskid', 'x')
  })

  test('leaves members out that JSON cannot hold, also inherited ones', () => {
    const event = Object.assign(Object.create({ save: () => undefined }), progress({}), {
      agent: undefined,
      created: Symbol('now'),
      session_id: { toJSON: () => undefined },
    }) as Record<string, unknown>
    expect(JSON.parse(jsonOf(encode(event), undefined))).toEqual(progress({}))
  })

  test('counts bytes as UTF-8', () => {
    const text = 'aé€😀\uD800'
    expect(utf8Length(text)).toBe(1 + 2 + 3 + 4 + 3)
    const { Buffer: buffer } = globalThis
    try {
      Object.assign(globalThis, { Buffer: undefined })
      expect(utf8Length(text)).toBe(1 + 2 + 3 + 4 + 3)
    } finally {
      Object.assign(globalThis, { Buffer: buffer })
    }
  })

  test('an encoded event is read back, and a truncated text is not', () => {
    for (const more of [{}, { id: 'evt_1' }, { created_at: '2026-11-01T00:00:00.000Z' }]) {
      const encoded = encode({ ...progress({ message: 'é' }), ...more })
      const json = jsonOf(encoded, undefined)
      expect(readEncoded(json, NOW_MS)).toEqual(encoded)
      expect(() => readEncoded(json.slice(0, -3), NOW_MS)).toThrow(SyntaxError)
    }
  })
})

test('a created_at without an offset is a time in UTC, as for the server, in any time zone of the machine', () => {
  const program = `
    const { tsImport } = await import('tsx/esm/api')
    const [module, times] = process.argv.slice(1)
    const { encodeEvent } = await tsImport(module, module)
    console.log(JSON.stringify(JSON.parse(times).map((time) => encodeEvent({ created_at: time, data: {} }, 0).atMs)))`
  const module = pathToFileURL(join(import.meta.dirname, 'encode-event.ts')).href
  const args = ['--input-type=module', '--eval', program, module, JSON.stringify(TIMES)]
  const printed = execFileSync(process.execPath, args, {
    env: { ...process.env, TZ: 'Europe/Berlin' },
    encoding: 'utf8',
  })
  expect(JSON.parse(printed)).toEqual(TIMES.map((time) => parseTimestamp(time)?.ms))
})
