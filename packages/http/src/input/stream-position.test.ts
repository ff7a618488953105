import { describe, expect, test } from '@jest/globals'
import { createKeyring, generateEncryptionKey } from '@ariftly/keyring'
import fc from 'fast-check'
import { createStreamIds, decodePosition, encodePosition } from './stream-position.ts'

const offsets = fc.array(fc.maxSafeNat(), { minLength: 1, maxLength: 40 })

describe('a position', () => {
  test('is the same after it was written as bytes and read again, for all offsets and numbers of partitions', () => {
    fc.assert(
      fc.property(fc.nat(), offsets, (epoch, list) => {
        const place = { epoch, position: Float64Array.from(list) }
        expect(decodePosition(Buffer.from(encodePosition(place)))).toEqual(place)
      }),
    )
  })

  test('is not read from bytes that are cut, longer, or of another layout', () => {
    const bytes = Buffer.from(encodePosition({ epoch: 3, position: Float64Array.of(1, 200, 2 ** 40) }))
    for (let length = 0; length < bytes.length; length += 1) {
      expect(decodePosition(bytes.subarray(0, length))).toBeUndefined()
    }
    expect(decodePosition(Buffer.concat([bytes, Buffer.of(0)]))).toBeUndefined()
    expect(decodePosition(Buffer.concat([Buffer.of(2), bytes.subarray(1)]))).toBeUndefined()
    expect(decodePosition(Buffer.alloc(60, 0xff))).toBeUndefined()
  })
})

describe('a stream id', () => {
  const ids = createStreamIds(createKeyring(generateEncryptionKey('a')))
  const place = { epoch: 1, position: Float64Array.of(5, 6, 7) }

  test('opens to the position that was sealed, and says nothing to who lacks the key', () => {
    const id = ids.seal(place)
    expect(id).toMatch(/^v1\.[A-Za-z0-9_-]+$/)
    expect(ids.open(id)).toEqual(place)
    expect(ids.seal(place)).not.toBe(id)
    expect(createStreamIds(createKeyring(generateEncryptionKey('a'))).open(id)).toBeUndefined()
  })

  test('that was changed in any character or cut anywhere is not ours', () => {
    const id = ids.seal(place)
    for (let at = 0; at < id.length; at += 1) {
      const other = id[at] === 'A' ? 'Q' : 'A'
      expect(ids.open(id.slice(0, at) + other + id.slice(at + 1))).toBeUndefined()
      expect(ids.open(id.slice(0, at))).toBeUndefined()
    }
    expect(ids.open(`${id}AAAA`)).toBeUndefined()
  })
})
