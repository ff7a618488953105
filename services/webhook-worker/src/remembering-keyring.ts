import type { Keyring } from '@ariftly/keyring'

const REMEMBERED_MAX = 4000

/**
 * Opens each sealed text once: the secrets of busy webhooks are opened for every attempt otherwise. What is remembered is
 * found by the sealed bytes and their `aad` together, so a rotated secret is another entry; the oldest leaves when it is full.
 */
export function createRememberingKeyring(keyring: Pick<Keyring, 'open'>): Pick<Keyring, 'open'> {
  const remembered = new Map<string, Buffer>()

  function open(sealed: Uint8Array, aad: string): Buffer | undefined {
    const key = `${aad} ${Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength).toString('latin1')}`
    const known = remembered.get(key)
    if (known !== undefined) return known
    const plain = keyring.open(sealed, aad)
    if (plain === undefined) return undefined
    if (remembered.size >= REMEMBERED_MAX) {
      for (const oldest of remembered.keys()) {
        remembered.delete(oldest)
        break
      }
    }
    remembered.set(key, plain)
    return plain
  }

  return { open }
}
