import type { DataObject } from '../json/data-object.ts'
import type { JsonScanner } from '../json/json-scanner.ts'
import { boundPointer, pointerToken } from '../json/json-pointer.ts'
import { meant, nearestOf } from '../nearest-of.ts'
import type { EntryError } from './validation.ts'

/** The members of a posted event, read but not validated. Null and absent are the same: undefined. */
export interface Envelope {
  type: string | undefined
  task_id: string | undefined
  session_id: string | undefined
  agent: string | undefined
  id: string | undefined
  created_at: string | undefined
  idempotency_key: string | undefined
  /** What `data` is; of an `object` the `DataObject` holds the members. */
  data: 'absent' | 'object' | 'other'
  /** Levels of `data`. */
  dataDepth: number
  /** The member with the first string with `\u0000` or a lone surrogate, and where that string begins (-1 for none). */
  badMember: Member | undefined
  badStringAt: number
  /** The first fault of the envelope itself. */
  error: EntryError | undefined
}

type TextMember = 'type' | 'task_id' | 'session_id' | 'agent' | 'id' | 'created_at' | 'idempotency_key'
type Member = TextMember | 'data' | 'object'

/** The commonest first. */
const MEMBERS: readonly Member[] = [
  'type',
  'task_id',
  'data',
  'agent',
  'session_id',
  'id',
  'created_at',
  'idempotency_key',
  'object',
]

const MEMBERS_TEXT = MEMBERS.filter((name) => name !== 'object').join(', ')

/** No name of a member takes more bytes, with each character escaped. */
const NAME_BYTES_MAX = 6 * Math.max(...MEMBERS.map(({ length }) => length))
/** Longer than any valid value with each character escaped. A longer text is not unescaped: its start is invalid as well. */
const TEXT_BYTES_MAX = 2048

/**
 * Reads posted events one after another, each in as many slices as its scanner pauses. Malformed JSON throws (MalformedJson);
 * any other fault is kept in `error`, so that the rest of a batch is still read.
 */
export class EnvelopeReader {
  readonly #scanner: JsonScanner
  readonly #data: DataObject
  /** The event that is read, or was read last. */
  envelope = emptyEnvelope()
  /** The text that each member had last, in any event. Most events of a batch have the same: to compare it costs less than to read it. */
  readonly #last: Record<TextMember, string> = {
    type: '',
    task_id: '',
    session_id: '',
    agent: '',
    id: '',
    created_at: '',
    idempotency_key: '',
  }
  /** Bits of the members that were read, by their index in MEMBERS. */
  #seen = 0
  /** Whether there is a further member. */
  #more = false
  /** Whether the scanner is in a member's value; the member (undefined: an unknown one), and the value's first byte. */
  #inValue = false
  #member: Member | undefined
  #code = -1

  constructor(scanner: JsonScanner, data: DataObject) {
    this.#scanner = scanner
    this.#data = data
  }

  /** Begins with the event at the scanner's place, which must be `{`. */
  begin(): void {
    this.envelope = emptyEnvelope()
    this.#seen = 0
    this.#inValue = false
    this.#scanner.forget()
    this.#more = this.#scanner.enterObject()
  }

  /** Reads the event and moves after it. False: the scanner paused; call again to continue. */
  read(): boolean {
    const scanner = this.#scanner
    while (this.#more) {
      if (!this.#inValue) {
        if (!scanner.scanName()) return false
        this.#beginValue()
      }
      if (!this.#readValue()) return false
      this.#endValue()
      this.#more = scanner.nextMember()
    }
    return true
  }

  /** Behind the name of a member. */
  #beginValue(): void {
    const { envelope } = this
    const scanner = this.#scanner
    this.#inValue = true
    this.#code = scanner.at < scanner.end ? (scanner.bytes[scanner.at] as number) : -1
    // The first error refuses the event: an escaped name after it is not worth being unescaped.
    const index = envelope.error !== undefined && scanner.stringEscaped ? -1 : memberIndex(scanner)
    // To read an array at -1 costs more than all the rest.
    const member = index < 0 ? undefined : MEMBERS[index]
    this.#member = member
    if (member === undefined) {
      // Only the first error is reported: the names of the others are not read.
      envelope.error ??= unknownMember(scanner)
      return
    }
    if (this.#seen & (1 << index)) fail(envelope, 'invalid_value', `/${member}`, 'is given more than once')
    this.#seen |= 1 << index
    if (member === 'data') this.#beginData()
  }

  #beginData(): void {
    if (this.#code !== OPEN_OBJECT) return
    const scanner = this.#scanner
    scanner.depthMax = 0
    scanner.gaps.length = 0
    scanner.recordGaps = true
    this.#data.begin()
  }

  #readValue(): boolean {
    const scanner = this.#scanner
    if (this.#member === 'data' && this.#code === OPEN_OBJECT) return this.#data.scan()
    // Of a value that is no text only the end matters.
    return scanner.scanValue(1)
  }

  #endValue(): void {
    const { envelope } = this
    const member = this.#member
    const scanner = this.#scanner
    this.#inValue = false
    if (member === undefined) return
    if (envelope.badStringAt < 0 && scanner.badStringAt >= 0) {
      envelope.badStringAt = scanner.badStringAt
      envelope.badMember = member
    }
    if (member === 'data') this.#endData()
    else if (member !== 'object') this.#takeText(member)
  }

  #endData(): void {
    const { envelope } = this
    const scanner = this.#scanner
    if (this.#code === OPEN_OBJECT) {
      scanner.recordGaps = false
      envelope.data = 'object'
      envelope.dataDepth = scanner.depthMax
    } else envelope.data = this.#code === NULL ? 'absent' : 'other'
  }

  #takeText(member: TextMember): void {
    if (this.#code === QUOTE) {
      const last = this.#last[member]
      this.envelope[member] = this.#isSame(last) ? last : (this.#last[member] = this.#readText())
    } else if (this.#code !== NULL) fail(this.envelope, 'invalid_type', `/${member}`, 'must be a string')
  }

  /** Whether the string scanned last is this text, in ASCII and without an escape. */
  #isSame(text: string): boolean {
    const { stringStart, stringEnd, stringEscaped, bytes } = this.#scanner
    if (stringEscaped || text.length !== stringEnd - stringStart) return false
    for (let at = 0; at < text.length; at++) {
      const code = bytes[stringStart + at] as number
      if (code > 0x7f || code !== text.charCodeAt(at)) return false
    }
    return true
  }

  #readText(): string {
    const { stringStart, stringEnd, stringEscaped, bytes } = this.#scanner
    return stringEnd - stringStart > TEXT_BYTES_MAX
      ? bytes.toString('latin1', stringStart, stringStart + TEXT_BYTES_MAX)
      : this.#scanner.textOf(stringStart, stringEnd, stringEscaped)
  }
}

const QUOTE = 0x22
const OPEN_OBJECT = 0x7b
/** The first byte of `null`. */
const NULL = 0x6e

function emptyEnvelope(): Envelope {
  return {
    type: undefined,
    task_id: undefined,
    session_id: undefined,
    agent: undefined,
    id: undefined,
    created_at: undefined,
    idempotency_key: undefined,
    data: 'absent',
    dataDepth: 0,
    badMember: undefined,
    badStringAt: -1,
    error: undefined,
  }
}

/** Index in MEMBERS of the name scanned last, -1 if it is not one. */
function memberIndex(scanner: JsonScanner): number {
  const { bytes, stringStart, stringEnd } = scanner
  const length = stringEnd - stringStart
  if (length > NAME_BYTES_MAX) return -1
  if (scanner.stringEscaped) return MEMBERS.indexOf(scanner.textOf(stringStart, stringEnd, true) as Member)
  for (let index = 0; index < MEMBERS.length; index++) {
    const name = MEMBERS[index] as Member
    if (name.length !== length || bytes[stringStart] !== name.charCodeAt(0)) continue
    let at = 1
    while (at < length && bytes[stringStart + at] === name.charCodeAt(at)) at += 1
    if (at === length) return index
  }
  return -1
}

function unknownMember(scanner: JsonScanner): EntryError {
  const name = scanner.beginningOf(scanner.stringStart, scanner.stringEnd, scanner.stringEscaped)
  const pointer = boundPointer(`/${pointerToken(name)}`)
  return { code: 'unknown_member', pointer, message: `is not a member of an event${hintFor(name)}` }
}

/** A batch may have a thousand such names: longer ones are not compared. */
const COMPARED_CHARS_MAX = 24

function hintFor(name: string): string {
  if (name === 'events') return ': post the array itself'
  const nearest = name.length > COMPARED_CHARS_MAX ? undefined : nearestOf(name, MEMBERS)
  return nearest === undefined ? `, which are ${MEMBERS_TEXT}` : `.${meant(nearest)}`
}

function fail(envelope: Envelope, code: EntryError['code'], pointer: string, message: string): void {
  envelope.error ??= { code, pointer, message }
}
