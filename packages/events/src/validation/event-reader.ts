import { DataObject } from '../json/data-object.ts'
import { EnvelopeReader } from './envelope.ts'
import { EventIdMinter } from '../event-id.ts'
import { validateEntry } from './validate-entry.ts'
import { JsonScanner } from '../json/json-scanner.ts'
import { MalformedJson } from '../json/json-tokens.ts'
import type { ValidatedEntry, ValidationContext } from './validation.ts'

/** Bytes of a slice: less than a millisecond of work with any bytes. */
export const SLICE_BYTES = 16 * 1024
const NO_BYTES = Buffer.alloc(0)
const NO_CONTEXT: ValidationContext = { tenant: '', nowMs: 0, traceparent: null }
const NO_OBJECT: ValidatedEntry = {
  ok: false,
  error: { code: 'invalid_type', pointer: '', message: 'must be an event object' },
}

/**
 * Reads and validates the entries of a body in slices. A hot mutable structure, reused for one body after another. At the end
 * of a slice the reading methods return false: call them again for the next slice.
 */
export class EventReader {
  readonly scanner = new JsonScanner()
  readonly #data = new DataObject(this.scanner)
  readonly #envelopes = new EnvelopeReader(this.scanner, this.#data)
  #context = NO_CONTEXT
  readonly #minter = new EventIdMinter()
  #sliceBytes = 0
  #isObject = false
  /** The entries that were read, in order. */
  entries: ValidatedEntry[] = []

  /** Begins a body. */
  open(context: ValidationContext, sliceBytes: number): void {
    this.#context = context
    this.#minter.begin()
    this.#sliceBytes = sliceBytes
    this.entries = []
    this.scanner.pauseAt = sliceBytes
  }

  /** Forgets the body, which must not live as long as its reader. */
  close(): void {
    this.#context = NO_CONTEXT
    this.entries = []
    this.#data.forget()
    this.scanner.reset(NO_BYTES, 0, 0)
  }

  /** Moves to `start` of the body's text, which ends before `end`. */
  moveTo(body: Buffer, start: number, end: number): void {
    const { pauseAt } = this.scanner
    this.scanner.reset(body, start, end)
    this.scanner.pauseAt = pauseAt
  }

  /** Whether the slice is at its end; the next one then begins. */
  isSliceOver(): boolean {
    return this.scanner.at >= this.scanner.pauseAt && !this.#pause()
  }

  /** Starts the entry at the scanner's position. */
  begin(): void {
    const { at, end, bytes } = this.scanner
    this.#isObject = at < end && bytes[at] === 0x7b
    if (this.#isObject) this.#envelopes.begin()
  }

  /** Reads and validates that entry. @throws MalformedJson */
  read(): boolean {
    if (!this.#isObject) {
      if (!this.scanValue()) return false
      this.entries.push(NO_OBJECT)
      return true
    }
    if (!this.#envelopes.read()) return this.#pause()
    const entry = validateEntry({
      scanner: this.scanner,
      data: this.#data,
      envelope: this.#envelopes.envelope,
      context: this.#context,
      minter: this.#minter,
    })
    this.entries.push(entry)
    return true
  }

  /** Scans a value of any kind, in a body that has no entry. @throws MalformedJson */
  scanValue(): boolean {
    return this.scanner.scanValue(1) || this.#pause()
  }

  /** @throws MalformedJson when anything but white space is left. */
  endText(): void {
    if (this.scanner.skipSpace() !== -1) throw new MalformedJson(this.scanner.at)
  }

  #pause(): false {
    this.scanner.extend(this.#sliceBytes)
    return false
  }
}
