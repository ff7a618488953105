import { randomBytes } from 'node:crypto'

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

/**
 * An event id as a caller mints it: prefix `evt_` and a UUIDv7 of the given milliseconds in Crockford's base 32 (TypeID
 * 0.3.0). Written out here, so that tests and load clients depend on the published format and not on code of ours.
 */
export function mintEventId(nowMs: number): string {
  const bytes = randomBytes(16)
  bytes.writeUIntBE(nowMs, 0, 6)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  return `evt_${base32(bytes)}`
}

/** 128 bits as 26 characters: two zero bits in front. */
function base32(bytes: Buffer): string {
  let value = BigInt(`0x${bytes.toString('hex')}`)
  let text = ''
  for (let index = 0; index < 26; index += 1) {
    text = `${ALPHABET[Number(value & 31n)] ?? ''}${text}`
    value >>= 5n
  }
  return text
}
