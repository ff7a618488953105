import { describe, expect, test } from '@jest/globals'
import { crc32c } from './crc32c.ts'

describe('crc32c', () => {
  // RFC 3720, B.4, and the check value of the catalogue of CRCs.
  test.each([
    ['123456789', Buffer.from('123456789'), 0xe3069283],
    ['32 zeros', Buffer.alloc(32), 0x8a9136aa],
    ['32 ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
    ['ascending', Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e],
    [
      'ascending, after 5 bytes that are not covered',
      Buffer.from(Array.from({ length: 37 }, (_, i) => i - 5)).subarray(5),
      0x46dd794e,
    ],
    ['nothing', Buffer.alloc(0), 0],
  ])('matches the published value of %s', (_name, data, expected) => {
    expect(crc32c(data)).toBe(expected)
  })

  test('reads only the given range', () => {
    expect(crc32c(Buffer.from('xx123456789yy'), 2, 11)).toBe(0xe3069283)
  })
})
