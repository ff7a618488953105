import type { JsonScanner } from './json-scanner.ts'
import { LIMITS } from '../limits.ts'

/** How many members are compared pairwise before a map of names is worth its cost. */
const PAIRWISE_MAX = 16
const SLOTS = 5

/**
 * The first level of one payload: ranges of its members' names and values, in order. Used again for every payload (a hot
 * mutable structure); all offsets are into the scanner's bytes. A payload that is too large is scanned to its end, but only its first members
 * are kept.
 */
export class DataObject {
  readonly #scanner: JsonScanner
  /** nameStart, nameEnd, escaped, valueStart, valueEnd of each member. */
  #slots = new Int32Array(PAIRWISE_MAX * SLOTS)
  /** The number of members. */
  size = 0
  /** Members by unescaped name, for payloads with many members or an escaped name. */
  #byName: Map<string, number> | undefined
  /** Whether there is a further member. */
  #more = false
  /** Whether the scanner is in a member's value. */
  #inValue = false
  /** The scanner's `gapBytes` at the start. */
  #gapBytes = 0
  /** Offset of `{` and the offset after `}`. */
  start = 0
  end = 0
  /** Bytes without white space. */
  netBytes = 0
  /** The first member with a repeated unescaped name; -1 if all differ. */
  duplicate = -1

  constructor(scanner: JsonScanner) {
    this.#scanner = scanner
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

  /** Forgets the last payload. */
  forget(): void {
    this.size = 0
    this.#byName = undefined
    this.duplicate = -1
  }

  /** Begins with the object at the scanner's place, which must be `{`. */
  begin(): void {
    const scanner = this.#scanner
    this.forget()
    this.#inValue = false
    this.start = scanner.at
    this.#gapBytes = scanner.gapBytes
    if (scanner.depthMax < 1) scanner.depthMax = 1
    this.#more = scanner.enterObject()
  }

  /** Scans the object, as level 1. False: the scanner paused; call again to continue. */
  scan(): boolean {
    while (this.#more) {
      if (!this.#scanMember()) return false
      this.#more = this.#scanner.nextMember()
    }
    this.end = this.#scanner.at
    this.netBytes = this.#netBytes()
    return true
  }

  #scanMember(): boolean {
    const scanner = this.#scanner
    if (!this.#inValue) {
      if (!scanner.scanName()) return false
      this.#inValue = true
      if (this.#netBytes() <= LIMITS.dataBytesMax) this.#addMember()
      else scanner.recordGaps = false
    }
    if (!scanner.scanValue(2)) return false
    this.#inValue = false
    if (this.size > 0) this.#slots[this.size * SLOTS - 1] = scanner.at
    return true
  }

  #netBytes(): number {
    const { at, gapBytes } = this.#scanner
    return at - this.start - (gapBytes - this.#gapBytes)
  }

  /** Adds the member whose name was scanned last. */
  #addMember(): void {
    const { stringStart, stringEnd, stringEscaped, at } = this.#scanner
    const index = this.size
    const slot = index * SLOTS
    if (slot === this.#slots.length) this.#growSlots()
    const slots = this.#slots
    slots[slot] = stringStart
    slots[slot + 1] = stringEnd
    slots[slot + 2] = stringEscaped ? 1 : 0
    slots[slot + 3] = at
    this.size = index + 1
    if (this.duplicate < 0 && this.#isRepeated(index)) this.duplicate = index
  }

  #growSlots(): void {
    const larger = new Int32Array(this.#slots.length * 2)
    larger.set(this.#slots)
    this.#slots = larger
  }

  #isRepeated(index: number): boolean {
    if (this.#byName === undefined && (index >= PAIRWISE_MAX || this.isEscaped(index))) this.#indexNames(index)
    if (this.#byName !== undefined) {
      const name = this.nameOf(index)
      if (this.#byName.has(name)) return true
      this.#byName.set(name, index)
      return false
    }
    for (let earlier = 0; earlier < index; earlier++) if (this.#sameBytes(index, earlier)) return true
    return false
  }

  /** Makes the map of the first `size` members. */
  #indexNames(size: number): void {
    this.#byName = new Map()
    for (let index = 0; index < size; index++) {
      const name = this.nameOf(index)
      if (!this.#byName.has(name)) this.#byName.set(name, index)
    }
  }

  /** The name of a member after unescaping. */
  nameOf(index: number): string {
    return this.#scanner.textOf(this.nameStart(index), this.nameEnd(index), this.isEscaped(index))
  }

  /** Index of the first member with this ASCII name (compared after unescaping), -1 if there is none. */
  find(name: string): number {
    if (this.#byName !== undefined) return this.#byName.get(name) ?? -1
    for (let index = 0; index < this.size; index++) if (this.#nameIs(index, name)) return index
    return -1
  }

  #nameIs(index: number, name: string): boolean {
    const start = this.nameStart(index)
    if (this.nameEnd(index) - start !== name.length) return false
    const bytes = this.#scanner.bytes
    for (let at = 0; at < name.length; at++) if (bytes[start + at] !== name.charCodeAt(at)) return false
    return true
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
