import { randomBytes } from 'node:crypto'

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const SUFFIX_CHARS = 26

/** Value of each ASCII character in the TypeID alphabet, 255 for a character that is not in it. */
const VALUES = new Uint8Array(128).fill(255)
for (let value = 0; value < ALPHABET.length; value++) VALUES[ALPHABET.charCodeAt(value)] = value

const CODES = Uint8Array.from(ALPHABET, (char) => char.charCodeAt(0))
const UNDERSCORE = 0x5f
/** A prefix has at most 63 characters. */
const scratch = Buffer.alloc(63 + 1 + SUFFIX_CHARS)

/** Writes `prefix_` and the 26 characters of the 16 bytes of a UUID (TypeID 0.3: base32, lower case, two zero bits in front). */
export function formatTypeId(prefix: string, bytes: Uint8Array): string {
  // 130 bits are read from the back in groups of five; the accumulator never holds more than 12.
  let accumulator = 0
  let bits = 0
  const start = prefix.length + 1
  const end = start + SUFFIX_CHARS
  let at = end
  for (let index = 15; index >= 0; index--) {
    accumulator |= (bytes[index] ?? 0) << bits
    bits += 8
    while (bits >= 5) {
      scratch[--at] = CODES[accumulator & 31] ?? 0
      accumulator >>= 5
      bits -= 5
    }
  }
  scratch[start] = CODES[accumulator & 31] ?? 0
  // Written together with the prefix: a string that is concatenated later is copied again when it is encoded.
  for (let index = 0; index < prefix.length; index++) scratch[index] = prefix.charCodeAt(index)
  scratch[start - 1] = UNDERSCORE
  return scratch.toString('latin1', 0, end)
}

/**
 * Reads a TypeID of a UUIDv7 back into its 16 bytes. Undefined for another prefix, a spelling that is not canonical
 * (upper case, excluded letters, more than 128 bits) or a UUID whose version is not 7 or whose variant is not RFC 9562's.
 */
export function parseTypeId(prefix: string, id: string): Buffer | undefined {
  if (typeIdMs(prefix, id) === undefined) return undefined
  const bytes = Buffer.alloc(16)
  const start = prefix.length + 1
  let accumulator = 0
  let bits = 0
  let at = 16
  for (let index = start + SUFFIX_CHARS - 1; at > 0; index--) {
    accumulator |= (VALUES[id.charCodeAt(index)] ?? 0) << bits
    bits += 5
    if (bits >= 8) {
      bytes[--at] = accumulator & 255
      accumulator >>= 8
      bits -= 8
    }
  }
  return bytes
}

/**
 * The Unix millisecond inside a TypeID of a UUIDv7, or undefined if `parseTypeId` would not read it. Allocates nothing:
 * the first ten characters are the 48 bits of time, the eleventh starts with the version, the fourteenth holds the variant.
 */
export function typeIdMs(prefix: string, id: string): number | undefined {
  const start = prefix.length + 1
  if (id.length !== start + SUFFIX_CHARS || !id.startsWith(prefix) || id.charCodeAt(prefix.length) !== 95)
    return undefined
  let ms = 0
  for (let index = 0; index < SUFFIX_CHARS; index++) {
    const code = id.charCodeAt(start + index)
    const value = code < 128 ? (VALUES[code] ?? 255) : 255
    if (value === 255) return undefined
    if (index < 10) {
      if (index === 0 && value > 7) return undefined
      ms = ms * 32 + value
    } else if (index === 10 && value >> 1 !== 7) return undefined
    else if (index === 13 && ((value >> 2) & 3) !== 2) return undefined
  }
  return ms
}

/** The 16 bytes of a UUIDv7 with this millisecond (0 to 2^48 - 1) and the 74 low bits of `tail` (10 bytes). */
export function uuidV7Bytes(ms: number, tail: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(16)
  writeUuidV7(bytes, ms, tail)
  return bytes
}

/** Writes those bytes to the first 16 of `into`. */
export function writeUuidV7(into: Buffer, ms: number, tail: Uint8Array): void {
  into.writeUIntBE(ms, 0, 6)
  // By hand: a call into native code costs more than ten bytes.
  for (let index = 0; index < 10; index++) into[6 + index] = tail[index] ?? 0
  into[6] = 0x70 | ((tail[0] ?? 0) & 0x0f)
  into[8] = 0x80 | ((tail[2] ?? 0) & 0x3f)
}

/** A fresh TypeID of a UUIDv7; `ms` is its Unix millisecond, by default the clock's. */
export function newTypeId(prefix: string, ms: number = Date.now()): string {
  return formatTypeId(prefix, uuidV7Bytes(ms, randomBytes(10)))
}

/** Values of hex digits by code, 255 for all other characters; and their codes by value, lower case. */
const HEX_VALUES = new Uint8Array(128).fill(255)
const HEX_CODES = Uint8Array.from('0123456789abcdef', (char) => char.charCodeAt(0))
for (let value = 0; value < 16; value++) {
  HEX_VALUES[HEX_CODES[value] ?? 0] = value
  HEX_VALUES[value.toString(16).toUpperCase().charCodeAt(0)] = value
}

const UUID_CHARS = 36
const DASH = 0x2d
const uuidScratch = Buffer.alloc(UUID_CHARS)
const bytesScratch = Buffer.alloc(16)

/** `evt_…` to `8-4-4-4-12`, the text form of Postgres' `uuid`. Throws RangeError if `parseTypeId` would not read it. */
export function typeIdToUuid(prefix: string, id: string): string {
  if (typeIdMs(prefix, id) === undefined) throw new RangeError(`not a TypeID of a UUIDv7 with prefix ${prefix}`)
  // 26 groups of five bits are read from the back, and written as hex digits of four.
  let accumulator = 0
  let bits = 0
  let at = UUID_CHARS
  for (let index = prefix.length + SUFFIX_CHARS; at > 0; index--) {
    accumulator |= (VALUES[id.charCodeAt(index)] ?? 0) << bits
    bits += 5
    while (bits >= 4 && at > 0) {
      if (isDashBefore(at)) uuidScratch[--at] = DASH
      uuidScratch[--at] = HEX_CODES[accumulator & 15] ?? 0
      accumulator >>= 4
      bits -= 4
    }
  }
  return uuidScratch.toString('latin1')
}

function isDashBefore(end: number): boolean {
  return end === 24 || end === 19 || end === 14 || end === 9
}

/** `8-4-4-4-12` to `prefix_…`. Any version is written; throws RangeError if the text is no UUID. */
export function uuidToTypeId(prefix: string, uuid: string): string {
  let digits = 0
  for (let index = 0; index < UUID_CHARS; index++) {
    const code = uuid.charCodeAt(index)
    if (isDashBefore(index + 1)) {
      if (code !== DASH) throw new RangeError('not a UUID')
      continue
    }
    const value = code < 128 ? (HEX_VALUES[code] ?? 255) : 255
    if (value === 255) throw new RangeError('not a UUID')
    // The first digit of a byte overwrites what the last call left there.
    const before = digits % 2 === 0 ? 0 : (bytesScratch[digits >> 1] ?? 0)
    bytesScratch[digits >> 1] = (before << 4) | value
    digits += 1
  }
  if (uuid.length !== UUID_CHARS) throw new RangeError('not a UUID')
  return formatTypeId(prefix, bytesScratch)
}
