import type { Keyring } from '@ariftly/keyring'

const CACHED_MAX = 4000

/**
 * Opens each sealed text once: the secrets of busy webhooks would be opened for every attempt. Entries are found by the sealed
 * bytes and their `aad` together, so a rotated secret is another entry; the oldest is removed when the cache is full.
 */
export function createCachedKeyring(keyring: Pick<Keyring, 'open'>): Pick<Keyring, 'open'> {
  const cached = new Map<string, Buffer>()

  function open(sealed: Uint8Array, aad: string): Buffer | undefined {
    const key = `${aad} ${Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength).toString('latin1')}`
    const known = cached.get(key)
    if (known !== undefined) return known
    const plain = keyring.open(sealed, aad)
    if (plain === undefined) return undefined
    if (cached.size >= CACHED_MAX) {
      for (const oldest of cached.keys()) {
        cached.delete(oldest)
        break
      }
    }
    cached.set(key, plain)
    return plain
  }

  return { open }
}
