import { endOfLiteral, endOfNumber, MalformedJson, readHex } from './json-tokens.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const COMMA = 0x2c
const COLON = 0x3a

/** A character takes at most 12 bytes, as two escapes. */
const BEGINNING_BYTES = 1024
/** No text is as long as this; a small integer for V8. */
const NEVER = 0x3fff_ffff

/**
 * Walks JSON text in a Buffer byte by byte, once, and yields byte ranges; it builds no values. The grammar is strictly RFC
 * 8259's. The caller checks UTF-8 (`buffer.isUtf8`). Depth is reported, not limited: nesting costs one byte a level and no
 * call stack.
 *
 * The scanner is at `at` and reads up to `end`. It is reused (`reset`), so that a request allocates nothing for it.
 *
 * Long texts can be scanned in slices: past `pauseAt` the methods that scan a string, a name or a value return false. Call
 * `extend` and then the same method again: it continues where it stopped. Numbers and white space are not split.
 */
export class JsonScanner {
  bytes: Buffer = Buffer.alloc(0)
  at = 0
  end = 0
  /** The offset beyond which scanning pauses; none until it is set. */
  pauseAt = NEVER
  /** Inner range (without quotes) of the string scanned last, and whether it holds an escape. */
  stringStart = 0
  stringEnd = 0
  stringEscaped = false
  /** Deepest level seen since it was last set; a container passed to `scanValue(level)` counts as `level`. */
  depthMax = 0
  /** Where the first string with `\u0000` or a lone surrogate begins (its opening quote), -1 while there is none. */
  badStringAt = -1
  /** Runs of insignificant white space seen while `recordGaps`: start, end, start, end… in rising order. */
  readonly gaps: number[] = []
  recordGaps = false
  /** Bytes of insignificant white space seen. */
  gapBytes = 0
  #stack = new Uint8Array(256)
  /** Where a paused string continues, while `at` stays at its opening quote; -1: none is paused. */
  #stringAt = -1
  /** How many containers are open in a paused value. */
  #open = 0
  /** Whether the next token in the innermost of them is a member's name. */
  #atName = false

  /** Moves to `start` of `bytes` and clears all results. */
  reset(bytes: Buffer, start: number, end: number): void {
    this.bytes = bytes
    this.at = start
    this.end = end
    this.pauseAt = NEVER
    this.recordGaps = false
    this.#stringAt = -1
    this.#open = 0
    this.#atName = false
    this.forget()
  }

  /** Moves the next pause `bytes` further. */
  extend(bytes: number): void {
    this.pauseAt = Math.max(this.at, this.pauseAt) + bytes
  }

  /** Clears the results and keeps the position. */
  forget(): void {
    this.depthMax = 0
    this.badStringAt = -1
    this.gaps.length = 0
    this.gapBytes = 0
  }

  /** Skips white space and returns the byte after it, -1 at the end. */
  skipSpace(): number {
    const { bytes, end } = this
    let at = this.at
    if (at >= end) return -1
    let code = bytes[at] as number
    if (code > 0x20) return code
    const start = at
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) {
      at += 1
      if (at >= end) {
        code = -1
        break
      }
      code = bytes[at] as number
    }
    if (at > start) {
      this.gapBytes += at - start
      if (this.recordGaps) this.gaps.push(start, at)
    }
    this.at = at
    return code
  }

  /** Enters the object at `at`. True: now at the first name; false: the object was empty, now after it. */
  enterObject(): boolean {
    this.at += 1
    if (this.skipSpace() !== CLOSE_OBJECT) return true
    this.at += 1
    return false
  }

  /** Enters the array at `at`. True: now at the first element; false: the array was empty, now after it. */
  enterArray(): boolean {
    this.at += 1
    if (this.skipSpace() !== CLOSE_ARRAY) return true
    this.at += 1
    return false
  }

  /** Scans a member's name (its range is then the string's) and the colon, and moves to the value. False: paused. */
  scanName(): boolean {
    if (this.skipSpace() !== QUOTE) this.#malformed()
    if (!this.scanString()) return false
    if (this.skipSpace() !== COLON) this.#malformed()
    this.at += 1
    this.skipSpace()
    return true
  }

  /** After a member's value: true at the next name, false after the object. */
  nextMember(): boolean {
    return this.#next(CLOSE_OBJECT)
  }

  /** After an element: true at the next element, false after the array. */
  nextElement(): boolean {
    return this.#next(CLOSE_ARRAY)
  }

  #next(closer: number): boolean {
    const code = this.skipSpace()
    if (code === closer) {
      this.at += 1
      return false
    }
    if (code !== COMMA) this.#malformed()
    this.at += 1
    this.skipSpace()
    return true
  }

  /** Scans the value at `at` and moves after it; `level` is its depth if it is an object or an array. False: paused. */
  scanValue(level: number): boolean {
    const code = this.at < this.end ? (this.bytes[this.at] as number) : -1
    if (this.#open > 0 || code === OPEN_OBJECT || code === OPEN_ARRAY) return this.#scanContainer(level)
    return this.#scanScalar(code)
  }

  /** Keeps its own stack of open containers: a body of five million brackets must not end the process. */
  #scanContainer(level: number): boolean {
    let open = this.#open
    for (;;) {
      if (this.at >= this.pauseAt || !this.#scanNameIfNext()) return this.#pauseInside(open)
      const code = this.skipSpace()
      if (code === OPEN_OBJECT || code === OPEN_ARRAY) {
        const closer = code + 2
        if (open === this.#stack.length) this.#growStack()
        this.#stack[open++] = closer
        if (level + open - 1 > this.depthMax) this.depthMax = level + open - 1
        this.at += 1
        if (this.skipSpace() !== closer) {
          this.#atName = closer === CLOSE_OBJECT
          continue
        }
        this.at += 1
        open -= 1
      } else if (!this.#scanScalar(code)) return this.#pauseInside(open)
      open = this.#closeContainers(open)
      if (open > 0) continue
      this.#open = 0
      return true
    }
  }

  #pauseInside(open: number): false {
    this.#open = open
    return false
  }

  #scanNameIfNext(): boolean {
    if (!this.#atName) return true
    if (!this.scanName()) return false
    this.#atName = false
    return true
  }

  /** After a value in `open` containers: leaves the ones that end here and moves to the next value; returns how many are still open. */
  #closeContainers(open: number): number {
    while (open > 0) {
      const closer = this.#stack[open - 1] as number
      if (this.#next(closer)) {
        this.#atName = closer === CLOSE_OBJECT
        return open
      }
      open -= 1
    }
    return open
  }

  #growStack(): void {
    const larger = new Uint8Array(this.#stack.length * 2)
    larger.set(this.#stack)
    this.#stack = larger
  }

  #scanScalar(code: number): boolean {
    if (code === QUOTE) return this.scanString()
    const { bytes, at, end } = this
    if (code === 0x2d || (code >= 0x30 && code <= 0x39)) this.at = endOfNumber(bytes, at, end)
    else if (code === 0x74) this.at = endOfLiteral(bytes, at, end, 'true')
    else if (code === 0x66) this.at = endOfLiteral(bytes, at, end, 'false')
    else if (code === 0x6e) this.at = endOfLiteral(bytes, at, end, 'null')
    else this.#malformed()
    return true
  }

  /** Scans the string whose opening quote is at `at`. False: paused. */
  scanString(): boolean {
    const { bytes } = this
    const stop = Math.min(this.end, this.pauseAt)
    const quoteAt = this.at
    const goesOn = this.#stringAt >= 0
    let at = goesOn ? this.#stringAt : quoteAt + 1
    let escaped = goesOn && this.stringEscaped
    for (;;) {
      if (at >= stop) return this.#pauseString(at, escaped)
      const code = bytes[at] as number
      if (code === QUOTE) break
      if (code === BACKSLASH) {
        escaped = true
        at = this.#scanEscape(at, quoteAt)
      } else if (code < 0x20) this.#malformed(at)
      else at += 1
    }
    this.#stringAt = -1
    this.stringStart = quoteAt + 1
    this.stringEnd = at
    this.stringEscaped = escaped
    this.at = at + 1
    return true
  }

  #pauseString(at: number, escaped: boolean): false {
    if (at >= this.end) this.#malformed(this.end)
    this.#stringAt = at
    this.stringEscaped = escaped
    return false
  }

  /** Checks the escape at `at` and returns the offset after it (after both halves of a surrogate pair). */
  #scanEscape(at: number, quoteAt: number): number {
    const code = at + 1 < this.end ? (this.bytes[at + 1] as number) : -1
    if (code !== 0x75) {
      // " \ / b f n r t
      if (code === QUOTE || code === BACKSLASH || code === 0x2f) return at + 2
      if (code === 0x62 || code === 0x66 || code === 0x6e || code === 0x72 || code === 0x74) return at + 2
      this.#malformed(at)
    }
    const unit = readHex(this.bytes, at + 2, this.end)
    if (unit < 0xd800 || unit > 0xdfff) {
      if (unit === 0 && this.badStringAt < 0) this.badStringAt = quoteAt
      return at + 6
    }
    const paired = unit < 0xdc00 && at + 7 < this.end && this.bytes[at + 6] === BACKSLASH && this.bytes[at + 7] === 0x75
    const low = paired ? readHex(this.bytes, at + 8, this.end) : 0
    if (low >= 0xdc00 && low <= 0xdfff) return at + 12
    if (this.badStringAt < 0) this.badStringAt = quoteAt
    return at + 6
  }

  /** The text of a string's inner range. */
  textOf(start: number, end: number, escaped: boolean): string {
    const text = this.bytes.toString('utf8', start, end)
    return escaped ? (JSON.parse(`"${text}"`) as string) : text
  }

  /** The start of that text, at least 64 characters if it has as many: an error message shows no more of a long name. */
  beginningOf(start: number, end: number, escaped: boolean): string {
    const { bytes } = this
    let at = start
    // No escape is cut in two.
    while (at < end && at < start + BEGINNING_BYTES) at += bytes[at] !== BACKSLASH ? 1 : bytes[at + 1] === 0x75 ? 6 : 2
    return this.textOf(start, at, escaped)
  }

  #malformed(offset: number = this.at): never {
    throw new MalformedJson(offset)
  }
}
