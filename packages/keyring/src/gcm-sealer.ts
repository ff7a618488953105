import { createCipheriv, type KeyObject } from 'node:crypto'
import { BLOCK_BYTES, Ghash } from './ghash.ts'

/** The counted end of a nonce, which a sealed text holds after its header. */
export const COUNTER_BYTES = 6
/** The tag, at the end of a sealed text. */
export const TAG_BYTES = BLOCK_BYTES
/** A nonce of GCM: zeros, then the count. */
export const NONCE_BYTES = 12

/** The key stream that is made in one call. */
const STREAM_BYTES = 8 * 1024

/**
 * Seals texts by AES-256-GCM (NIST SP 800-38D) under nonces that count from zero: the result is `header`, the count (6 bytes), the
 * encrypted text and the tag. Equal to what a cipher of `node:crypto` makes of each text, at a fraction of its time: to make
 * a cipher costs several times what a short text does, and it cannot be used again under another nonce. So the key stream of
 * the next texts is made by one call of AES, and the tag is computed here.
 */
export class GcmSealer {
  readonly #aes: ReturnType<typeof createCipheriv>
  readonly #hash: Ghash
  readonly #header: Buffer
  readonly #aadBytes: number
  /** The hash after the additional data. */
  readonly #begun: Int32Array
  /** Of one text: a block for its tag, then those for its bytes. */
  #textBlocks = 0
  #stream = Buffer.alloc(0)
  /** Where the key stream of the next text begins. */
  #streamAt = 0
  #count = 0

  constructor({ key, header, aad }: { readonly key: KeyObject; readonly header: Buffer; readonly aad: string }) {
    this.#aes = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false)
    this.#hash = new Ghash(this.#aes.update(Buffer.alloc(BLOCK_BYTES)))
    this.#header = header
    const bytes = Buffer.from(aad, 'utf8')
    this.#aadBytes = bytes.length
    this.#hash.add(bytes, 0, bytes.length)
    this.#begun = this.#hash.words.slice()
  }

  seal(text: Uint8Array): Buffer {
    const blocks = 1 + Math.ceil(text.length / BLOCK_BYTES)
    if (blocks > this.#textBlocks || this.#streamAt >= this.#stream.length) this.#makeStream(blocks)
    const stream = this.#stream
    const streamAt = this.#streamAt
    this.#streamAt += this.#textBlocks * BLOCK_BYTES
    const header = this.#header
    const textAt = header.length + COUNTER_BYTES
    const tagAt = textAt + text.length
    const sealed = Buffer.allocUnsafe(tagAt + TAG_BYTES)
    sealed.set(header)
    sealed.writeUIntBE(this.#count, header.length, COUNTER_BYTES)
    this.#count += 1
    const textStreamAt = streamAt + BLOCK_BYTES
    for (let at = 0; at < text.length; at += 1) {
      sealed[textAt + at] = (text[at] as number) ^ (stream[textStreamAt + at] as number)
    }
    const hash = this.#hash
    hash.words.set(this.#begun)
    hash.add(sealed, textAt, tagAt)
    hash.addLengths(this.#aadBytes, text.length)
    for (let at = 0; at < TAG_BYTES; at += 1) sealed[tagAt + at] = hash.byte(at) ^ (stream[streamAt + at] as number)
    return sealed
  }

  /** Encrypts the counter blocks of the next texts: the nonce, then 1 for the tag, 2 and so on for the text. */
  #makeStream(blocks: number): void {
    this.#textBlocks = Math.max(blocks, this.#textBlocks)
    const textBytes = this.#textBlocks * BLOCK_BYTES
    const texts = Math.max(1, Math.floor(STREAM_BYTES / textBytes))
    const counters = Buffer.alloc(texts * textBytes)
    for (let text = 0; text < texts; text += 1) {
      for (let block = 0; block < this.#textBlocks; block += 1) {
        const at = text * textBytes + block * BLOCK_BYTES
        counters.writeUIntBE(this.#count + text, at + NONCE_BYTES - COUNTER_BYTES, COUNTER_BYTES)
        counters.writeUInt32BE(block + 1, at + NONCE_BYTES)
      }
    }
    this.#stream = this.#aes.update(counters)
    this.#streamAt = 0
  }
}
