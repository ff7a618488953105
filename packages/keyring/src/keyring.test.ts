import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { generateEncryptionKey } from './encryption-keys.ts'
import { createKeyring } from './keyring.ts'

const k1 = generateEncryptionKey('k1')
const k2 = generateEncryptionKey('k2')

describe('createKeyring', () => {
  test('opens what it sealed, for the same purpose only', () => {
    const keyring = createKeyring(k1)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), fc.string(), fc.string(), (plain, aad, other) => {
        const sealed = keyring.seal(plain, aad)
        expect(keyring.open(sealed, aad)).toEqual(Buffer.from(plain))
        if (other !== aad) expect(keyring.open(sealed, other)).toBeUndefined()
      }),
    )
  })

  test('opens what another process sealed with the same key', () => {
    const sealed = createKeyring(k1).seal(Buffer.from('secret'), 'aad')
    expect(createKeyring(k1).open(sealed, 'aad')?.toString()).toBe('secret')
    expect(createKeyring(k2).open(sealed, 'aad')).toBeUndefined()
  })

  test('refuses a text with any bit changed, cut or prolonged', () => {
    const keyring = createKeyring(k1)
    const sealed = keyring.seal(Buffer.from('secret'), 'aad')
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const forged = Buffer.from(sealed)
      forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(keyring.open(forged, 'aad')).toBeUndefined()
    }
    for (let length = 0; length < sealed.length; length += 1) {
      expect(keyring.open(sealed.subarray(0, length), 'aad')).toBeUndefined()
    }
    expect(keyring.open(Buffer.concat([sealed, Buffer.alloc(1)]), 'aad')).toBeUndefined()
  })

  test('never throws on bytes that are no sealed text', () => {
    const keyring = createKeyring(k1)
    fc.assert(fc.property(fc.uint8Array(), (bytes) => keyring.open(bytes, 'aad') === undefined))
  })

  test('the first key seals, all open, and a text names its key', () => {
    const old = createKeyring(k1)
    const rotated = createKeyring(`${k2},${k1}`)
    const sealed = old.seal(Buffer.from('secret'), 'aad')
    expect(rotated.open(sealed, 'aad')?.toString()).toBe('secret')
    expect([rotated.primaryId, rotated.keyIdOf(sealed)]).toEqual(['k2', 'k1'])
    expect(rotated.keyIdOf(rotated.seal(Buffer.alloc(0), ''))).toBe('k2')
    expect(rotated.keyIdOf(Buffer.from('no'))).toBeUndefined()
  })

  test('no two texts share a nonce: neither within a process nor between two', () => {
    const [one, other] = [createKeyring(k1), createKeyring(k1)]
    const plain = Buffer.from('same')
    const noncesAndSalts = [one, one, other].map((keyring) => keyring.seal(plain, '').subarray(4, 26).toString('hex'))
    expect(new Set(noncesAndSalts).size).toBe(3)
  })

  test('a sealed text is 40 bytes and the id longer', () => {
    expect(createKeyring(k1).seal(Buffer.alloc(100), '')).toHaveLength(100 + 40 + 2)
  })
})

describe('ENCRYPTION_KEYS', () => {
  test.each([
    ['', 'key 1 is not like'],
    ['k1', 'key 1 is not like'],
    [`k1:${Buffer.alloc(31).toString('base64')}`, 'key 1 is not like'],
    [`k 1:${Buffer.alloc(32).toString('base64')}`, 'key 1 is not like'],
    [`${k1},`, 'key 2 is not like'],
    [`${k1},${k1}`, 'key 2 has an id that is already used'],
    [`x,${k1},y`, 'key 1 is not like id:base64 of 32 bytes; key 3'],
  ])('%# names the fault and shows no key', (text, message) => {
    expect(() => createKeyring(text)).toThrow(message)
    const secret = k1.slice(3)
    expect(() => createKeyring(text)).toThrow(expect.not.objectContaining({ message: expect.stringContaining(secret) }))
  })
})
