import { describe, expect, test } from '@jest/globals'
import { EventRefusedError } from '../errors.ts'
import type { NewEvent } from '../types.ts'
import { decodeEvent, encodeEvent, readEncoded, utf8Length } from './encode-event.ts'
import { EventIdMinter } from './event-id.ts'

const NOW_MS = Date.UTC(2026, 10, 25)
const minter = new EventIdMinter()
const encode = (event: Partial<NewEvent> | Record<string, unknown>) => encodeEvent(event as NewEvent, minter, NOW_MS)
const progress = (data: unknown) => ({ type: 'task.progress', task_id: 't', data })

describe('encodeEvent', () => {
  test('keeps raw JSON text and bytes untouched', () => {
    const raw = '{ "n": 1.0,\n "big": 9007199254740993 }'
    for (const data of [raw, new TextEncoder().encode(raw)]) {
      const encoded = encode(progress(data))
      expect(encoded.json.endsWith(`,"data":${raw}}`)).toBe(true)
      expect(decodeEvent(encoded)).toMatchObject({ type: 'task.progress', task_id: 't', data: raw })
    }
  })

  test.each([
    ['text that is no JSON', '{"a":'],
    ['bytes that are no UTF-8', new Uint8Array([0x7b, 0xff, 0x7d])],
    ['half a surrogate pair', '{"a":"\uD800"}'],
  ])('refuses %s by itself, with a pointer to data', (_, data) => {
    expect(() => encode(progress(data))).toThrow(expect.objectContaining({ code: 'malformed_json', pointer: '/data' }))
  })

  test('refuses what fits into no request before it is queued', () => {
    expect(() => encode(progress({ message: 'x'.repeat(5 * 1024 * 1024) }))).toThrow(EventRefusedError)
  })

  test("takes the caller's id, mints one of created_at, and leaves the id of an idempotency key to the server", () => {
    const id = minter.mint(NOW_MS)
    expect(encode({ ...progress({}), id })).toMatchObject({ id, isMinted: false })
    const created = encode({ ...progress({}), created_at: '2026-11-01T00:00:00.000Z' })
    expect(created.id?.slice(0, 14)).toBe(new EventIdMinter().mint(Date.UTC(2026, 10, 1)).slice(0, 14))
    expect(encode({ ...progress({}), created_at: '2026-11-01T00:00:00Z', idempotency_key: 'k' }).id).toBeUndefined()
    expect(() => encode({ ...progress({}), created_at: 'yesterday' })).toThrow(
      expect.objectContaining({ pointer: '/created_at' }),
    )
  })

  test('sends members that it does not know, so that the server names them', () => {
    expect(JSON.parse(encode({ ...progress({}), taskid: 'x' }).json)).toHaveProperty('taskid', 'x')
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

  test('what was encoded is read back, and a cut text is not', () => {
    const { json, key, id, dataAt, bytes } = encode(progress({ message: 'm' }))
    expect(readEncoded(json)).toMatchObject({ json, key, id, dataAt, bytes })
    expect(() => readEncoded(json.slice(0, -3))).toThrow(SyntaxError)
  })
})
