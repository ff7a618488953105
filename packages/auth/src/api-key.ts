import { hash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** A new API key, shown once, and its stored form. */
export interface GeneratedApiKey {
  readonly key: string
  /** SHA-256 of the key, 32 bytes. */
  readonly hash: Buffer
}

/** Makes a key: `ak_`, 32 random bytes in base62 (43 characters), `_`, CRC-32 of all before it in 8 hex digits. */
export function generateApiKey(random: (bytes: number) => Buffer = randomBytes): GeneratedApiKey {
  const body = `ak_${base62(random(32))}`
  const key = `${body}_${checksum(body)}`
  return { key, hash: hashApiKey(key) }
}

/** What is stored and compared: SHA-256 of the key's characters. */
export function hashApiKey(key: string): Buffer {
  return hash('sha256', key, 'buffer')
}

/**
 * Whether a text can be a key: 24 to 128 characters of `A-Za-z0-9_-` (a bootstrap key may be any of these), with a valid
 * checksum if it has the prefix of generated keys. So a typo is refused without a look-up.
 */
export function isApiKeyShaped(text: string): boolean {
  if (!/^[A-Za-z0-9_-]{24,128}$/.test(text)) return false
  const [, body, sum] = /^(ak_[0-9A-Za-z]{43})_([0-9a-f]{8})$/.exec(text) ?? []
  return body === undefined || checksum(body) === sum
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0')
}

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** 32 bytes as one number in base 62, 43 digits. */
function base62(bytes: Buffer): string {
  let rest = BigInt(`0x${bytes.toString('hex')}`)
  let text = ''
  for (let digit = 0; digit < 43; digit += 1) {
    text = BASE62.charAt(Number(rest % 62n)) + text
    rest /= 62n
  }
  return text
}
