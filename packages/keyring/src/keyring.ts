import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, randomBytes, type KeyObject } from 'node:crypto'
import { parseEncryptionKeys } from './encryption-keys.ts'

/** Seals and opens small secrets. */
export interface Keyring {
  /**
   * Encrypts and authenticates with the first key. `aad` says what the text is and whose (`webhook:<tenant>:<id>`); it is
   * not in the result, and only the same `aad` opens it. The result is 40 bytes longer than `plain`, plus the key's id.
   */
  seal(plain: Uint8Array, aad: string): Buffer
  /** The text, or `undefined` when it was not sealed by one of the keys, for this `aad`, exactly so. */
  open(sealed: Uint8Array, aad: string): Buffer | undefined
  /** The id of the key that seals. */
  readonly primaryId: string
  /** The id of the key that sealed this, as it says itself; `undefined` when it is no sealed text. */
  keyIdOf(sealed: Uint8Array): string | undefined
}

/**
 * Creates a keyring from `id:base64(32 bytes)[,…]`: the first key seals, all open. Throws a `RangeError` that says what is
 * wrong without showing a key.
 *
 * AES-256-GCM (NIST SP 800-38D). A key must not use a nonce twice, and random nonces are safe for only 2^32 texts, which a
 * gateway that seals each record reaches in days. So every keyring object draws 16 random bytes once, derives its own key
 * from them (HKDF-SHA256) and counts its nonces. Layout: version 1, length of the id, id, salt (16), nonce (6, counted),
 * ciphertext, tag (16).
 */
export function createKeyring(encryptionKeys: string): Keyring {
  const keys = parseEncryptionKeys(encryptionKeys)
  const byId = new Map(keys.map(({ id, key }) => [id, key]))
  const [primary] = keys
  const salt = randomBytes(SALT_BYTES)
  const sealingKey = deriveKey(primary.key, salt)
  const header = Buffer.concat([Buffer.from([VERSION, primary.id.length]), Buffer.from(primary.id, 'latin1'), salt])
  const derivedKeys = createDerivedKeys(byId)
  /** Zeros, then the count. A cipher copies it when it is made. */
  const nextNonce = Buffer.alloc(GCM_NONCE_BYTES)
  const nextCounter = nextNonce.subarray(GCM_NONCE_BYTES - COUNTER_BYTES)
  let sealedCount = 0

  function seal(plain: Uint8Array, aad: string): Buffer {
    nextNonce.writeUIntBE(sealedCount, GCM_NONCE_BYTES - COUNTER_BYTES, COUNTER_BYTES)
    sealedCount += 1
    const cipher = createCipheriv('aes-256-gcm', sealingKey, nextNonce)
    cipher.setAAD(Buffer.from(aad, 'utf8'))
    const text = cipher.update(plain)
    cipher.final()
    return Buffer.concat([header, nextCounter, text, cipher.getAuthTag()])
  }

  function open(sealed: Uint8Array, aad: string): Buffer | undefined {
    const parts = split(sealed)
    if (parts === undefined) return undefined
    const key =
      parts.salt.equals(salt) && parts.keyId === primary.id ? sealingKey : derivedKeys.get(parts.keyId, parts.salt)
    if (key === undefined) return undefined
    const nonce = Buffer.concat([Buffer.alloc(GCM_NONCE_BYTES - COUNTER_BYTES), parts.counter])
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
    decipher.setAAD(Buffer.from(aad, 'utf8'))
    decipher.setAuthTag(parts.tag)
    try {
      const plain = decipher.update(parts.text)
      decipher.final()
      return plain
    } catch {
      return undefined
    }
  }

  return { seal, open, primaryId: primary.id, keyIdOf: (sealed) => split(sealed)?.keyId }
}

const VERSION = 1
const SALT_BYTES = 16
const COUNTER_BYTES = 6
const GCM_NONCE_BYTES = 12
const TAG_BYTES = 16

interface Parts {
  readonly keyId: string
  readonly salt: Buffer
  readonly counter: Buffer
  readonly text: Buffer
  readonly tag: Buffer
}

function split(sealed: Uint8Array): Parts | undefined {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength)
  const idBytes = bytes[1]
  if (bytes[0] !== VERSION || idBytes === undefined) return undefined
  const saltAt = 2 + idBytes
  const counterAt = saltAt + SALT_BYTES
  const textAt = counterAt + COUNTER_BYTES
  const tagAt = bytes.length - TAG_BYTES
  if (tagAt < textAt) return undefined
  return {
    keyId: bytes.toString('latin1', 2, saltAt),
    salt: bytes.subarray(saltAt, counterAt),
    counter: bytes.subarray(counterAt, textAt),
    text: bytes.subarray(textAt, tagAt),
    tag: bytes.subarray(tagAt),
  }
}

function deriveKey(key: KeyObject, salt: Uint8Array): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', key, salt, 'ariftly keyring v1', 32)))
}

/** Derived keys of other processes' salts. Forged texts can fill the cache, which costs a derivation (some 10 µs) each. */
function createDerivedKeys(byId: ReadonlyMap<string, KeyObject>) {
  const cache = new Map<string, KeyObject>()

  function get(keyId: string, salt: Buffer): KeyObject | undefined {
    const key = byId.get(keyId)
    if (key === undefined) return undefined
    const name = `${keyId}:${salt.toString('latin1')}`
    const cached = cache.get(name)
    if (cached !== undefined) return cached
    const derived = deriveKey(key, salt)
    if (cache.size >= DERIVED_KEYS_MAX) {
      for (const oldest of cache.keys()) {
        cache.delete(oldest)
        break
      }
    }
    cache.set(name, derived)
    return derived
  }

  return { get }
}

const DERIVED_KEYS_MAX = 1024
