/** The text is not JSON (RFC 8259); `offset` is the byte at which that showed. Thrown by the scanner alone, caught where it is used. */
export class MalformedJson extends Error {
  readonly offset: number
  constructor(offset: number) {
    super(`malformed JSON at byte ${offset}`)
    this.offset = offset
  }
}

/** The offset after the number at `at`. @throws MalformedJson */
export function endOfNumber(bytes: Buffer, start: number, end: number): number {
  let at = start
  if (codeAt(bytes, at, end) === 0x2d) at += 1
  at = codeAt(bytes, at, end) === 0x30 ? at + 1 : endOfDigits(bytes, at, end)
  if (codeAt(bytes, at, end) === 0x2e) at = endOfDigits(bytes, at + 1, end)
  const exponent = codeAt(bytes, at, end)
  if (exponent !== 0x65 && exponent !== 0x45) return at
  const sign = codeAt(bytes, at + 1, end)
  return endOfDigits(bytes, sign === 0x2b || sign === 0x2d ? at + 2 : at + 1, end)
}

function endOfDigits(bytes: Buffer, start: number, end: number): number {
  let at = start
  for (let code = codeAt(bytes, at, end); code >= 0x30 && code <= 0x39; code = codeAt(bytes, at, end)) at += 1
  if (at === start) throw new MalformedJson(at)
  return at
}

/** The offset after `word`, which must be at `start`. @throws MalformedJson */
export function endOfLiteral(bytes: Buffer, start: number, end: number, word: string): number {
  for (let index = 0; index < word.length; index++) {
    if (codeAt(bytes, start + index, end) !== word.charCodeAt(index)) throw new MalformedJson(start + index)
  }
  return start + word.length
}

/** The number that four hex digits at `start` make. @throws MalformedJson */
export function readHex(bytes: Buffer, start: number, end: number): number {
  let value = 0
  for (let index = start; index < start + 4; index++) {
    const code = codeAt(bytes, index, end)
    if (code >= 0x30 && code <= 0x39) value = value * 16 + code - 0x30
    else if ((code >= 0x41 && code <= 0x46) || (code >= 0x61 && code <= 0x66)) value = value * 16 + (code & 15) + 9
    else throw new MalformedJson(index)
  }
  return value
}

function codeAt(bytes: Buffer, at: number, end: number): number {
  return at < end ? (bytes[at] as number) : -1
}
