import type { JsonScanner } from './json-scanner.ts'
import { LIMITS } from './limits.ts'

/** How many members are compared pairwise before a set of names is worth its cost. */
const PAIRWISE_MAX = 16
const SLOTS = 5

/**
 * The first level of one payload: ranges of its members' names and values, in order. Used again for every payload (a hot
 * mutable structure); all offsets are into the scanner's bytes.
 */
export class DataObject {
  readonly #scanner: JsonScanner
  /** nameStart, nameEnd, escaped, valueStart, valueEnd of each member. */
  readonly #slots: number[] = []
  /** Offset of `{` and the offset behind `}`. */
  start = 0
  end = 0
  /** Bytes without white space; a payload beyond the limit is looked at no further. */
  netBytes = 0
  /** Where the name that stood there before begins, -1 if all names differ after unescaping. */
  duplicateAt = -1

  constructor(scanner: JsonScanner) {
    this.#scanner = scanner
  }

  get size(): number {
    return this.#slots.length / SLOTS
  }
  nameStart(index: number): number {
    return this.#slots[index * SLOTS] as number
  }
  nameEnd(index: number): number {
    return this.#slots[index * SLOTS + 1] as number
  }
  isEscaped(index: number): boolean {
    return this.#slots[index * SLOTS + 2] === 1
  }
  valueStart(index: number): number {
    return this.#slots[index * SLOTS + 3] as number
  }
  valueEnd(index: number): number {
    return this.#slots[index * SLOTS + 4] as number
  }

  /** Scans the object at the scanner's place (it must stand at `{`), as level 1. */
  scan(): void {
    const scanner = this.#scanner
    const slots = this.#slots
    slots.length = 0
    this.start = scanner.at
    if (scanner.depthMax < 1) scanner.depthMax = 1
    for (let more = scanner.enterObject(); more; more = scanner.nextMember()) {
      scanner.scanName()
      slots.push(scanner.stringStart, scanner.stringEnd, scanner.stringEscaped ? 1 : 0, scanner.at)
      scanner.scanValue(2)
      slots.push(scanner.at)
    }
    this.end = scanner.at
    this.netBytes = this.end - this.start - gapBytes(scanner.gaps)
    this.duplicateAt = this.netBytes > LIMITS.dataBytesMax ? -1 : this.#findDuplicate()
  }

  /** The name of a member after unescaping. */
  nameOf(index: number): string {
    return this.#scanner.textOf(this.nameStart(index), this.nameEnd(index), this.isEscaped(index))
  }

  /** Index of the member with this ASCII name (compared after unescaping), -1 if there is none. */
  find(name: string): number {
    for (let index = 0; index < this.size; index++) {
      if (this.isEscaped(index) ? this.nameOf(index) === name : this.#nameIs(index, name)) return index
    }
    return -1
  }

  #nameIs(index: number, name: string): boolean {
    const start = this.nameStart(index)
    if (this.nameEnd(index) - start !== name.length) return false
    const bytes = this.#scanner.bytes
    for (let at = 0; at < name.length; at++) if (bytes[start + at] !== name.charCodeAt(at)) return false
    return true
  }

  #findDuplicate(): number {
    const size = this.size
    let byText = size > PAIRWISE_MAX
    for (let index = 0; index < size && !byText; index++) byText = this.isEscaped(index)
    if (byText) return this.#findDuplicateText()
    for (let index = 1; index < size; index++) {
      for (let earlier = 0; earlier < index; earlier++)
        if (this.#sameBytes(index, earlier)) return this.nameStart(index)
    }
    return -1
  }

  #findDuplicateText(): number {
    const seen = new Set<string>()
    for (let index = 0; index < this.size; index++) {
      const name = this.nameOf(index)
      if (seen.has(name)) return this.nameStart(index)
      seen.add(name)
    }
    return -1
  }

  #sameBytes(one: number, other: number): boolean {
    const oneStart = this.nameStart(one)
    const otherStart = this.nameStart(other)
    const length = this.nameEnd(one) - oneStart
    if (this.nameEnd(other) - otherStart !== length) return false
    const bytes = this.#scanner.bytes
    for (let at = 0; at < length; at++) if (bytes[oneStart + at] !== bytes[otherStart + at]) return false
    return true
  }
}

/** Gaps are pairs of offsets of white space. */
function gapBytes(gaps: readonly number[]): number {
  let bytes = 0
  for (let index = 0; index < gaps.length; index += 2) bytes += (gaps[index + 1] as number) - (gaps[index] as number)
  return bytes
}
