/** Bytes of a block of AES and of GHASH. */
export const BLOCK_BYTES = 16

/**
 * GHASH, the keyed hash of GCM (NIST SP 800-38D, 6.4): one hash after another under one hash key. A multiplication goes byte by
 * byte through a table of the key's multiples.
 */
export class Ghash {
  /** The hash so far. */
  readonly words = new Int32Array(4)
  /** The key times each byte, as a block's first: four words an entry. */
  readonly #multiples: Int32Array

  constructor(key: Buffer) {
    this.#multiples = multiplesOf(key)
  }

  /** Adds bytes, filled up to whole blocks with zeros. */
  add(bytes: Uint8Array, start: number, end: number): void {
    const { words } = this
    for (let block = start; block < end; block += BLOCK_BYTES) {
      const blockEnd = Math.min(end, block + BLOCK_BYTES)
      for (let at = block; at < blockEnd; at += 1) {
        const word = (at - block) >> 2
        words[word] = (words[word] as number) ^ ((bytes[at] as number) << shiftOf(at - block))
      }
      this.#multiply()
    }
  }

  /** Adds the last block: how many bytes of additional data and of text were added. */
  addLengths(aadBytes: number, textBytes: number): void {
    const { words } = this
    words[1] = (words[1] as number) ^ (aadBytes * 8)
    words[3] = (words[3] as number) ^ (textBytes * 8)
    this.#multiply()
  }

  /** A byte of the hash. */
  byte(index: number): number {
    return ((this.words[index >> 2] as number) >>> shiftOf(index)) & 0xff
  }

  /** Multiplies by the key. From the last byte on, as each byte's multiple is shifted by those before it. */
  #multiply(): void {
    const { words } = this
    const multiples = this.#multiples
    let first = 0
    let second = 0
    let third = 0
    let fourth = 0
    for (let index = BLOCK_BYTES - 1; index >= 0; index -= 1) {
      const entry = this.byte(index) << 2
      const out = fourth & 0xff
      fourth = ((fourth >>> 8) | (third << 24)) ^ (multiples[entry + 3] as number)
      third = ((third >>> 8) | (second << 24)) ^ (multiples[entry + 2] as number)
      second = ((second >>> 8) | (first << 24)) ^ (multiples[entry + 1] as number)
      first = (first >>> 8) ^ (REDUCED[out] as number) ^ (multiples[entry] as number)
    }
    words[0] = first
    words[1] = second
    words[2] = third
    words[3] = fourth
  }
}

/** How far a byte of a block is from the low end of its word. */
function shiftOf(index: number): number {
  return 24 - (index & 3) * 8
}

function multiplesOf(key: Buffer): Int32Array {
  const multiples = new Int32Array(256 * 4)
  const power = Int32Array.from({ length: 4 }, (_, word) => key.readInt32BE(word * 4))
  // A byte's highest bit is the lowest power of x.
  for (let bit = 0x80; bit > 0; bit >>= 1) {
    multiples.set(power, bit * 4)
    timesX(power)
  }
  for (let bit = 2; bit < 256; bit *= 2) {
    for (let at = 4; at < bit * 4; at += 1) {
      multiples[bit * 4 + at] = (multiples[bit * 4 + (at & 3)] as number) ^ (multiples[at] as number)
    }
  }
  return multiples
}

/** What a byte that is shifted out of the end of a block adds to its first word. */
const REDUCED = Int32Array.from({ length: 256 }, (_, byte) => {
  const block = Int32Array.of(0, 0, 0, byte)
  for (let bit = 0; bit < 8; bit += 1) timesX(block)
  return block[0] as number
})

/** Multiplies by x, in the field of 2^128 elements of GCM. */
function timesX(words: Int32Array): void {
  const isOut = ((words[3] as number) & 1) === 1
  for (let word = 3; word > 0; word -= 1) {
    words[word] = ((words[word] as number) >>> 1) | ((words[word - 1] as number) << 31)
  }
  words[0] = ((words[0] as number) >>> 1) ^ (isOut ? 0xe1000000 : 0)
}
