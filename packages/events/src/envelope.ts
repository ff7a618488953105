import type { DataObject } from './data-object.ts'
import type { JsonScanner } from './json-scanner.ts'
import { boundPointer, pointerToken } from './json-pointer.ts'
import type { EntryError } from './validation.ts'

/** The members of a posted event (design 4.1), read but not yet judged. Null and absent are the same: undefined. */
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
  /** Levels of `data`, and where its first string with `\u0000` or a lone surrogate begins (-1 for none). */
  dataDepth: number
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

/**
 * Reads one posted event at the scanner's place, which must be `{`, and stands behind it. Well-formedness is checked to the end (MalformedJson is
 * thrown), any other fault is kept in `error` so that the rest of a batch is still read.
 */
export function readEnvelope(scanner: JsonScanner, data: DataObject): Envelope {
  const envelope = emptyEnvelope()
  scanner.forget()
  let seen = 0
  for (let more = scanner.enterObject(); more; more = scanner.nextMember()) {
    scanner.scanName()
    // The first error refuses the event: an escaped name after it is not worth being unescaped.
    const index = envelope.error !== undefined && scanner.stringEscaped ? -1 : memberIndex(scanner)
    const member = MEMBERS[index]
    if (member === undefined) {
      // Only the first error is reported: the names of the others are not read.
      envelope.error ??= unknownMember(scanner)
      scanner.scanValue(1)
      continue
    }
    if (seen & (1 << index)) fail(envelope, 'invalid_value', `/${member}`, 'stands more than once')
    seen |= 1 << index
    if (member === 'data') readData(scanner, data, envelope)
    else if (member === 'object') scanner.scanValue(1)
    else readText(scanner, envelope, member)
  }
  envelope.badStringAt = scanner.badStringAt
  return envelope
}

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
    badStringAt: -1,
    error: undefined,
  }
}

/** Index in MEMBERS of the name scanned last, -1 if it is none of them. */
function memberIndex(scanner: JsonScanner): number {
  if (scanner.stringEscaped) {
    return MEMBERS.indexOf(scanner.textOf(scanner.stringStart, scanner.stringEnd, true) as Member)
  }
  const { bytes, stringStart } = scanner
  const length = scanner.stringEnd - stringStart
  for (let index = 0; index < MEMBERS.length; index++) {
    const name = MEMBERS[index] as Member
    if (name.length !== length || bytes[stringStart] !== name.charCodeAt(0)) continue
    let at = 1
    while (at < length && bytes[stringStart + at] === name.charCodeAt(at)) at += 1
    if (at === length) return index
  }
  return -1
}

function readText(scanner: JsonScanner, envelope: Envelope, member: TextMember): void {
  const code = scanner.at < scanner.end ? scanner.bytes[scanner.at] : -1
  if (code === 0x22) {
    scanner.scanString()
    envelope[member] = scanner.textOf(scanner.stringStart, scanner.stringEnd, scanner.stringEscaped)
    return
  }
  scanner.scanValue(1)
  if (code !== 0x6e) fail(envelope, 'invalid_type', `/${member}`, 'must be a string')
}

function readData(scanner: JsonScanner, data: DataObject, envelope: Envelope): void {
  const code = scanner.at < scanner.end ? scanner.bytes[scanner.at] : -1
  if (code !== 0x7b) {
    scanner.scanValue(1)
    envelope.data = code === 0x6e ? 'absent' : 'other'
    return
  }
  scanner.depthMax = 0
  scanner.gaps.length = 0
  scanner.recordGaps = true
  try {
    data.scan()
  } finally {
    scanner.recordGaps = false
  }
  envelope.data = 'object'
  envelope.dataDepth = scanner.depthMax
}

function unknownMember(scanner: JsonScanner): EntryError {
  const name = scanner.textOf(scanner.stringStart, scanner.stringEnd, scanner.stringEscaped)
  const pointer = boundPointer(`/${pointerToken(name)}`)
  return { code: 'unknown_member', pointer, message: 'is not a member of an event' }
}

function fail(envelope: Envelope, code: EntryError['code'], pointer: string, message: string): void {
  envelope.error ??= { code, pointer, message }
}
