import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { TypeID } from 'typeid-js'
import { EventIdMinter, deriveEventId, eventIdMs, newEventId } from './event-id.ts'
import { formatTypeId, newTypeId, parseTypeId, typeIdToUuid, uuidToTypeId } from './typeid.ts'

const bytes16 = fc.uint8Array({ minLength: 16, maxLength: 16 })
const millisecond = fc.integer({ min: 0, max: 2 ** 48 - 1 })

describe('TypeIDs', () => {
  test('are spelled as the reference implementation spells them', () => {
    fc.assert(
      fc.property(bytes16, (bytes) => {
        const uuid = Buffer.from(bytes)
          .toString('hex')
          .replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
        const id = formatTypeId('evt', bytes)
        expect(id).toBe(TypeID.fromUUID('evt', uuid).toString())
        expect(uuidToTypeId('evt', uuid)).toBe(id)
      }),
    )
  })

  test('are decoded to the bytes and the UUID that they were made of', () => {
    fc.assert(
      fc.property(millisecond, (ms) => {
        const id = newTypeId('whk', ms)
        const bytes = parseTypeId('whk', id)
        if (!bytes) throw new Error(`not read: ${id}`)
        expect(bytes.readUIntBE(0, 6)).toBe(ms)
        expect(formatTypeId('whk', bytes)).toBe(id)
        expect(uuidToTypeId('whk', typeIdToUuid('whk', id))).toBe(id)
        expect(typeIdToUuid('whk', id).replaceAll('-', '')).toBe(bytes.toString('hex'))
      }),
    )
  })

  const valid = 'evt_01m88y3fz3eeksq399rkr6wnx3'
  test.each([
    ['another prefix', 'whk_01m88y3fz3eeksq399rkr6wnx3'],
    ['upper case', 'evt_01M88Y3FZ3EEKSQ399RKR6WNX3'],
    ['an excluded letter', 'evt_01m88y3fz3eeksq399rkr6wnxl'],
    ['a letter beyond ASCII', 'evt_01m88y3fz3eeksq399rkr6wnx\u0133'],
    ['one character less', 'evt_01m88y3fz3eeksq399rkr6wnx'],
    ['one character more', 'evt_01m88y3fz3eeksq399rkr6wnx33'],
    ['more than 128 bits', 'evt_81m88y3fz3eeksq399rkr6wnx3'],
    ['version 4', 'evt_01m88y3fz38eksq399rkr6wnx3'],
    ['another variant', 'evt_01m88y3fz3eek0q399rkr6wnx3'],
    ['nothing', ''],
    ['a UUID', '019a1234-0000-7000-8000-000000000000'],
  ])('with %s are refused', (_what, id) => {
    expect(parseTypeId('evt', id)).toBeUndefined()
    expect(() => typeIdToUuid('evt', id)).toThrow(RangeError)
    expect(() => eventIdMs(id)).toThrow(RangeError)
  })

  test.each([
    ['nothing', ''],
    ['one character less', '019a1234-0000-7000-8000-00000000000'],
    ['one character more', '019a1234-0000-7000-8000-0000000000000'],
    ['a dash that is missing', '019a123400000-7000-8000-000000000000'],
    ['a letter that is no digit', '019a1234-0000-7000-8000-00000000000g'],
    ['a letter beyond ASCII', '019a1234-0000-7000-8000-00000000000\u0131'],
  ])('are not made of %s in the place of a UUID', (_what, text) => {
    expect(() => uuidToTypeId('evt', text)).toThrow(RangeError)
  })

  test('are made of UUIDs in capital letters too', () => {
    expect(uuidToTypeId('evt', '019A1234-ABCD-7EF0-8ABC-DEF012345678')).toBe(
      uuidToTypeId('evt', '019a1234-abcd-7ef0-8abc-def012345678'),
    )
  })

  test('of the specification are read', () => {
    expect(new Date(eventIdMs(valid)).toISOString()).toBe('2026-11-25T08:45:37.123Z')
  })
})

describe('event ids', () => {
  test('of one request rise strictly while the milliseconds do not fall', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 3 }), { minLength: 2, maxLength: 200 }), (steps) => {
        const minter = new EventIdMinter()
        let ms = 1_800_000_000_000
        let last = ''
        for (const step of steps) {
          ms += step
          const id = minter.mint(ms)
          expect(id > last).toBe(true)
          expect(eventIdMs(id)).toBe(ms)
          last = id
        }
      }),
    )
  })

  test('made by two processes or requests differ in the same millisecond, and rise even from the highest random part', () => {
    const first = new EventIdMinter()
    const ids5 = [first.mint(5), new EventIdMinter().mint(5)]
    first.begin()
    ids5.push(first.mint(5))
    expect(new Set(ids5).size).toBe(3)
    const highest = new EventIdMinter((bytes) => bytes.fill(255))
    const ids = Array.from({ length: 1000 }, () => highest.mint(7))
    expect(ids.toSorted()).toEqual(ids)
    expect(new Set(ids).size).toBe(1000)
  })

  test('made of a key are the same for the same tenant, key and time, and differ otherwise', () => {
    const id = deriveEventId(1_800_000_000_000, 'acme', 'order-1')
    expect(deriveEventId(1_800_000_000_000, 'acme', 'order-1')).toBe(id)
    expect(eventIdMs(id)).toBe(1_800_000_000_000)
    const others = [
      deriveEventId(1_800_000_000_000, 'acme', 'order-2'),
      deriveEventId(1_800_000_000_000, 'acm', 'eorder-1'),
      newEventId(1_800_000_000_000),
    ]
    for (const other of others) expect(other).not.toBe(id)
  })
})
