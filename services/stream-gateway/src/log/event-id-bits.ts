const PREFIX = 'evt_'
const ID_CHARS = PREFIX.length + 26
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
/** Value of each byte as a character of a TypeID; 255 if it is not one. */
const VALUES = new Uint8Array(256).fill(255)
for (let value = 0; value < ALPHABET.length; value += 1) VALUES[ALPHABET.charCodeAt(value)] = value
const VERSION_AT = PREFIX.length + 10
const VARIANT_AT = PREFIX.length + 13

/** Words of 32 bits of an id. */
export const ID_WORDS = 4

/**
 * The 128 bits of an event id (`evt_` and a TypeID of a UUIDv7), read from bytes without making a string. The packing is our
 * own: six characters a word, and the last two in the remaining bits of the words.
 */
export class EventIdBits {
  readonly words = new Uint32Array(ID_WORDS)
  /** The Unix millisecond in the id. */
  ms = 0

  /** Reads an id from bytes; false when they are no event id (`words` is then undefined). */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start !== ID_CHARS) return false
    for (let at = 0; at < PREFIX.length; at += 1) if (bytes[start + at] !== PREFIX.charCodeAt(at)) return false
    let all = 0
    const from = start + PREFIX.length
    const { words } = this
    for (let word = 0; word < ID_WORDS; word += 1) {
      let bits = 0
      for (let at = from + word * 6; at < from + word * 6 + 6; at += 1) {
        const value = VALUES[bytes[at] ?? 0] ?? 255
        all |= value
        bits = (bits << 5) | value
      }
      words[word] = bits
    }
    const last = VALUES[bytes[end - 1] ?? 0] ?? 255
    const beforeLast = VALUES[bytes[end - 2] ?? 0] ?? 255
    const isUuidV7 =
      (VALUES[bytes[from] ?? 0] ?? 255) <= 7 &&
      (VALUES[bytes[start + VERSION_AT] ?? 0] ?? 0) >> 1 === 7 &&
      (((VALUES[bytes[start + VARIANT_AT] ?? 0] ?? 0) >> 2) & 3) === 2
    // Ten characters are the time: six of the first word, four of the second.
    this.ms = (words[0] ?? 0) * 2 ** 20 + ((words[1] ?? 0) >>> 10)
    words[0] = (words[0] ?? 0) | ((beforeLast & 15) << 28)
    words[1] = (words[1] ?? 0) | ((last & 3) << 30)
    words[2] = (words[2] ?? 0) | (((last >> 2) & 3) << 30)
    words[3] = (words[3] ?? 0) | (((last >> 4) | ((beforeLast >> 4) << 1)) << 30)
    return isUuidV7 && (all | last | beforeLast) < 32
  }

  /** Reads an id from a text. */
  readText(id: string): boolean {
    if (id.length !== ID_CHARS) return false
    return this.read(textBytes, 0, textBytes.write(id, 'utf8'))
  }
}

const textBytes = Buffer.alloc(ID_CHARS)
