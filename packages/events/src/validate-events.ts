import { isUtf8 } from 'node:buffer'
import { DataObject } from './data-object.ts'
import { readEnvelope } from './envelope.ts'
import { createEventIdMinter } from './event-id.ts'
import { judgeEvent } from './judge-event.ts'
import { JsonScanner, MalformedJson } from './json-scanner.ts'
import { LIMITS } from './limits.ts'
import type { ValidatedEntry, ValidationContext, ValidationResult } from './validation.ts'

/** What the entries of one request share. */
interface Reading {
  readonly scanner: JsonScanner
  readonly data: DataObject
  readonly context: ValidationContext
  readonly mintId: (ms: number) => string
  readonly entries: ValidatedEntry[]
}

const scanner = new JsonScanner()
const data = new DataObject(scanner)
const NO_BYTES = Buffer.alloc(0)
/** A request with too many events. */
export const TOO_MANY: ValidationResult = {
  type: 'invalid',
  status: 413,
  code: 'too_many_events',
  detail: `A request holds at most ${LIMITS.eventsPerRequestMax} events.`,
}
/** A request without a body. */
export const MISSING_BODY: ValidationResult = {
  type: 'invalid',
  status: 422,
  code: 'missing_body',
  detail: 'Send an event, or an array of events, as the body.',
}
/** A request without an event. */
export const EMPTY_BATCH: ValidationResult = {
  type: 'invalid',
  status: 422,
  code: 'empty_batch',
  detail: 'The request holds no event.',
  pointer: '',
}

/**
 * Reads and judges a whole request body: one JSON object, an array of them, or NDJSON (one a line, blank lines do not count). One pass over the
 * bytes; a payload is copied at most once. Never throws on any input.
 */
export function validateEvents(body: Buffer, kind: 'json' | 'ndjson', context: ValidationContext): ValidationResult {
  const reading: Reading = { scanner, data, context, mintId: createEventIdMinter(), entries: [] }
  if (body.length === 0) return MISSING_BODY
  const utf8 = isUtf8(body)
  try {
    if (kind === 'ndjson') return readLines(reading, body, utf8)
    if (!utf8) return { type: 'invalid', status: 400, code: 'invalid_utf8', detail: 'The body is not UTF-8.' }
    return readBody(reading, body)
  } catch (error) {
    if (error instanceof MalformedJson) return malformed(body, error)
    throw error
  } finally {
    // A request must not live as long as this module.
    scanner.reset(NO_BYTES, 0, 0)
  }
}

/** A body that is not JSON, and where that showed. */
export function malformed(body: Buffer, error: MalformedJson): ValidationResult {
  const detail =
    error.offset >= body.length
      ? 'The body is not valid JSON: it ends too early.'
      : `The body is not valid JSON: unexpected byte at offset ${error.offset}.`
  return { type: 'invalid', status: 400, code: 'malformed_json', detail }
}

function readBody(reading: Reading, body: Buffer): ValidationResult {
  const { entries } = reading
  scanner.reset(body, 0, body.length)
  const single = scanner.skipSpace() !== 0x5b
  if (single) {
    if (scanner.at < body.length && body[scanner.at] !== 0x7b) return readNoEvent()
    readEntry(reading)
  } else {
    for (let more = scanner.enterArray(); more; more = scanner.nextElement()) {
      if (entries.length === LIMITS.eventsPerRequestMax) return TOO_MANY
      readEntry(reading)
    }
  }
  endOfText()
  return entries.length === 0 ? EMPTY_BATCH : { type: 'entries', single, entries }
}

/** A well-formed body that is neither an object nor an array. */
function readNoEvent(): ValidationResult {
  scanner.scanValue(1)
  endOfText()
  const detail = 'The body must be one event object or an array of them.'
  return { type: 'invalid', status: 422, code: 'invalid_type', detail, pointer: '' }
}

function endOfText(): void {
  if (scanner.skipSpace() !== -1) throw new MalformedJson(scanner.at)
}

function readEntry({ context, mintId, entries }: Reading): void {
  const start = scanner.at
  if (scanner.bytes[start] === 0x7b && start < scanner.end) {
    const envelope = readEnvelope(scanner, data)
    entries.push(judgeEvent({ scanner, data, envelope, start, context, mintId }))
    return
  }
  scanner.scanValue(1)
  entries.push({ ok: false, error: { code: 'invalid_type', pointer: '', message: 'must be an event object' } })
}

function readLines(reading: Reading, body: Buffer, allUtf8: boolean): ValidationResult {
  const { entries } = reading
  for (let start = 0; start < body.length;) {
    if (body[start] === 0x0a) {
      start += 1
      continue
    }
    const found = body.indexOf(0x0a, start)
    const end = found < 0 ? body.length : found
    scanner.reset(body, start, end)
    if (scanner.skipSpace() !== -1) {
      if (entries.length === LIMITS.eventsPerRequestMax) return TOO_MANY
      if (allUtf8 || isUtf8(body.subarray(start, end))) readLine(reading, start)
      else entries.push({ ok: false, error: { code: 'invalid_utf8', pointer: '', message: 'the line is not UTF-8' } })
    }
    start = end + 1
  }
  return entries.length === 0 ? EMPTY_BATCH : { type: 'entries', single: false, entries }
}

/** An unreadable line is one refused entry. */
function readLine(reading: Reading, start: number): void {
  const { entries } = reading
  const count = entries.length
  try {
    readEntry(reading)
    endOfText()
  } catch (error) {
    if (!(error instanceof MalformedJson)) throw error
    entries.length = count
    const message = `the line is not valid JSON (byte ${error.offset - start} of the line)`
    entries.push({ ok: false, error: { code: 'malformed_json', pointer: '', message } })
  }
}
