const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const PAIRS = Array.from(ALPHABET, (first) => Array.from(ALPHABET, (second) => first + second)).flat()

/** Fills the array with random numbers; `crypto.getRandomValues` unless a test gives its own. */
export type FillRandom = (numbers: Uint32Array) => void

/**
 * Mints event ids: TypeIDs (0.3) of UUIDv7 (RFC 9562) with a given millisecond. Ids of one minter rise strictly while milliseconds do not fall:
 * 39 random bits are the minter's, and a counter that starts at a random place fills the low 35.
 */
export class EventIdMinter {
  readonly #fillRandom: FillRandom
  /** Units of 1,024 ms. */
  #seconds = -1
  #secondsChars = ''
  #ownChars = ''
  /** Low 35 bits as seven characters: five of `#high`, then one of PAIRS. */
  #high = 0
  #highChars = ''
  #low = 0

  constructor(fillRandom: FillRandom = (numbers) => void crypto.getRandomValues(numbers)) {
    this.#fillRandom = fillRandom
    this.#renew()
  }

  /** A fresh id; `ms` is a whole number of Unix milliseconds, 0 to 2^48 - 1. */
  mint(ms: number): string {
    const seconds = Math.floor(ms / 1024)
    if (seconds !== this.#seconds) {
      this.#seconds = seconds
      this.#secondsChars = base32(seconds, 8)
    }
    if (this.#low === 1024) this.#carry()
    const id = `evt_${this.#secondsChars}${PAIRS[ms % 1024] ?? ''}${this.#ownChars}${this.#highChars}${PAIRS[this.#low] ?? ''}`
    this.#low += 1
    return id
  }

  #carry(): void {
    this.#low = 0
    this.#high += 1
    if (this.#high === 2 ** 25) this.#renew()
    else this.#highChars = base32(this.#high, 5)
  }

  #renew(): void {
    const numbers = new Uint32Array(3)
    this.#fillRandom(numbers)
    const [a = 0, b = 0, c = 0] = numbers
    // 45 bits: version 7, 12 random, variant 2, 27 random.
    const versionAndRandA = 0x7000 + (a & 0xfff)
    const variantAndRandB = (2 << 27) + (b & 0x7ff_ffff)
    this.#ownChars = base32(versionAndRandA * 2 ** 29 + variantAndRandB, 9)
    this.#high = c & 0xff_ffff
    this.#highChars = base32(this.#high, 5)
    this.#low = (a >>> 12) & 0x3ff
  }
}

/** `value`, at most 2^53, in so many characters of five bits. */
function base32(value: number, chars: number): string {
  let text = ''
  for (let rest = value, left = chars; left > 0; left -= 1) {
    text = (ALPHABET[rest % 32] ?? '') + text
    rest = Math.floor(rest / 32)
  }
  return text
}
