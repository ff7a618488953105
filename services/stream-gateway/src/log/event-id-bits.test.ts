import { describe, expect, test } from '@jest/globals'
import { newEventId, typeIdMs } from '@ariftly/events'
import fc from 'fast-check'
import { EventIdBits } from './event-id-bits.ts'

const ids = fc.integer({ min: 0, max: 2 ** 48 - 1 }).map((ms) => newEventId(ms))

function wordsOf(id: string): string {
  const bits = new EventIdBits()
  return bits.readText(id) ? bits.words.join() : 'none'
}

describe('the bits of an event id', () => {
  test('are there for exactly the texts that are event ids, with their time', () => {
    const changed = fc
      .tuple(ids, fc.nat({ max: 29 }), fc.string({ minLength: 0, maxLength: 2 }))
      .map(([id, at, text]) => id.slice(0, at) + text + id.slice(at + 1))
    fc.assert(
      fc.property(fc.oneof(ids, changed), (id) => {
        const bits = new EventIdBits()
        const isId = bits.readText(id)
        expect(isId ? bits.ms : undefined).toBe(typeIdMs('evt', id))
      }),
      { numRuns: 2000 },
    )
  })

  test('are equal for equal ids only, whichever character differs', () => {
    const id = newEventId(Date.UTC(2026, 10, 25))
    const seen = new Set([wordsOf(id)])
    expect(wordsOf(id)).toBe([...seen][0])
    for (let at = 4; at < id.length; at += 1) {
      for (const char of '0123456789abcdefghjkmnpqrstvwxyz') {
        const other = id.slice(0, at) + char + id.slice(at + 1)
        if (other === id || typeIdMs('evt', other) === undefined) continue
        const words = wordsOf(other)
        expect(seen.has(words)).toBe(false)
        seen.add(words)
      }
    }
    expect(seen.size).toBeGreaterThan(700)
  })

  test('are read from the middle of other bytes', () => {
    const id = newEventId(Date.UTC(2026, 10, 25))
    const bits = new EventIdBits()
    expect(bits.read(Buffer.from(`x${id}x`), 1, 31)).toBe(true)
    expect(bits.words.join()).toBe(wordsOf(id))
    expect(bits.read(Buffer.from(`x${id}x`), 0, 30)).toBe(false)
    expect(bits.read(Buffer.from(`x${id}x`), 1, 30)).toBe(false)
  })
})
