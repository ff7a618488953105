import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { readVarint, sizeOfVarint, writeVarint } from './varint.ts'

test('a 32-bit number is read back, in as many bytes as announced', () => {
  fc.assert(
    fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), (value) => {
      const data = Buffer.alloc(8)
      const end = writeVarint(data, 0, value)
      const cursor = { data, at: 0 }
      expect(readVarint(cursor)).toBe(value)
      expect(cursor.at).toBe(end)
      expect(sizeOfVarint(value)).toBe(end)
    }),
  )
})

test('longer numbers, as time differences may be, are read exactly', () => {
  // Zigzag of 2^40 and of -2^40 - 1, low groups first.
  const positive = Buffer.from([0x80, 0x80, 0x80, 0x80, 0x80, 0x40])
  const negative = Buffer.from([0x81, 0x80, 0x80, 0x80, 0x80, 0x40])
  expect(readVarint({ data: positive, at: 0 })).toBe(2 ** 40)
  expect(readVarint({ data: negative, at: 0 })).toBe(-(2 ** 40) - 1)
})
