import { describe, expect, test } from '@jest/globals'
import { createHash } from 'node:crypto'
import { generateApiKey, hashApiKey, isApiKeyShaped } from './api-key.ts'

describe('generateApiKey', () => {
  test('gives a key of the documented form and its SHA-256', () => {
    const { key, hash } = generateApiKey()
    expect(key).toMatch(/^ak_[0-9A-Za-z]{43}_[0-9a-f]{8}$/)
    expect(hash).toEqual(createHash('sha256').update(key).digest())
    expect(hashApiKey(key)).toEqual(hash)
  })

  test('writes all 32 bytes in base62, padded', () => {
    expect(generateApiKey(() => Buffer.alloc(32)).key).toMatch(/^ak_0{43}_/)
    expect(generateApiKey(() => Buffer.alloc(32, 255)).key).not.toBe(generateApiKey(() => Buffer.alloc(32, 254)).key)
    const one = Buffer.alloc(32)
    one[31] = 62
    expect(generateApiKey(() => one).key).toMatch(/^ak_0{41}10_/)
  })
})

describe('isApiKeyShaped', () => {
  const { key } = generateApiKey()

  test('takes generated keys and bootstrap keys of 24 to 128 characters', () => {
    expect([key, 'a'.repeat(24), 'A-_9'.repeat(32)].map(isApiKeyShaped)).toEqual([true, true, true])
  })

  test('refuses other texts, and one of ours with a mistyped character', () => {
    const mistyped = key.replace(/^ak_./, key.startsWith('ak_x') ? 'ak_y' : 'ak_x')
    const bad = [
      '',
      'a'.repeat(23),
      'a'.repeat(129),
      `${'a'.repeat(30)} `,
      `${'a'.repeat(30)}\n`,
      'ä'.repeat(30),
      mistyped,
    ]
    expect(bad.map(isApiKeyShaped)).toEqual(bad.map(() => false))
  })
})
