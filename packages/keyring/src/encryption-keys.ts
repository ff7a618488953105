import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto'

/** One key of ENCRYPTION_KEYS. */
export interface EncryptionKey {
  readonly id: string
  readonly key: KeyObject
}

/**
 * Reads `id:base64(32 bytes)[,…]`. Ids are unique and have 1 to 32 characters of `A-Za-z0-9_-`. Throws a `RangeError` that
 * names each faulty key by its index, and shows no key.
 */
export function parseEncryptionKeys(text: string): readonly [EncryptionKey, ...EncryptionKey[]] {
  const keys: EncryptionKey[] = []
  const faults: string[] = []
  for (const [index, item] of text.split(',').entries()) {
    const read = parseKey(item.trim(), keys)
    if (typeof read === 'string') faults.push(`key ${index + 1} ${read}`)
    else keys.push(read)
  }
  const [first, ...others] = keys
  if (faults.length > 0 || first === undefined) throw new RangeError(`ENCRYPTION_KEYS: ${faults.join('; ')}`)
  return [first, ...others]
}

function parseKey(item: string, before: readonly EncryptionKey[]): EncryptionKey | string {
  const match = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/]{43}=)$/.exec(item)
  const [, id, base64] = match ?? []
  if (id === undefined || base64 === undefined) return 'is not like id:base64 of 32 bytes'
  if (before.some((key) => key.id === id)) return 'has an id that is already used'
  return { id, key: createSecretKey(base64, 'base64') }
}

/** A new random key in the form of ENCRYPTION_KEYS. */
export function generateEncryptionKey(id: string, random: (bytes: number) => Buffer = randomBytes): string {
  return `${id}:${random(32).toString('base64')}`
}
