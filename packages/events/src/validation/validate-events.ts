import { isUtf8 } from 'node:buffer'
import { EventReader, SLICE_BYTES } from './event-reader.ts'
import { MalformedJson } from '../json/json-tokens.ts'
import { LIMITS } from '../limits.ts'
import type { Validation, ValidationContext, ValidationResult } from './validation.ts'

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

/** A reader that is not in use. A paused one cannot be used for another body. */
let spare: EventReader | undefined

/**
 * Reads and validates a request body: one JSON object, an array of them, or NDJSON (one a line, blank lines are ignored). One
 * pass over the bytes, in slices; a payload is copied at most once. Never throws on any input.
 */
export function* validateEvents(
  body: Buffer,
  kind: 'json' | 'ndjson',
  context: ValidationContext,
  sliceBytes = SLICE_BYTES,
): Validation {
  if (body.length === 0) return MISSING_BODY
  const utf8 = isUtf8(body)
  if (kind === 'json' && !utf8)
    return { type: 'invalid', status: 400, code: 'invalid_utf8', detail: 'The body is not UTF-8.' }
  const reader = spare ?? new EventReader()
  spare = undefined
  try {
    reader.open(context, sliceBytes)
    return yield* kind === 'ndjson' ? readLines(reader, body, utf8) : readBody(reader, body)
  } catch (error) {
    if (error instanceof MalformedJson) return malformed(body, error)
    throw error
  } finally {
    reader.close()
    spare = reader
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

function* readBody(reader: EventReader, body: Buffer): Validation {
  const { scanner, entries } = reader
  reader.moveTo(body, 0, body.length)
  const single = scanner.skipSpace() !== 0x5b
  if (single) {
    if (scanner.at < body.length && body[scanner.at] !== 0x7b) return yield* readNoEvent(reader)
    reader.begin()
    while (!reader.read()) yield
  } else {
    for (let more = scanner.enterArray(); more; more = scanner.nextElement()) {
      if (entries.length === LIMITS.eventsPerRequestMax) return TOO_MANY
      reader.begin()
      while (!reader.read()) yield
    }
  }
  reader.endText()
  return entries.length === 0 ? EMPTY_BATCH : { type: 'entries', single, entries }
}

/** A well-formed body that is neither an object nor an array. */
function* readNoEvent(reader: EventReader): Validation {
  while (!reader.scanValue()) yield
  reader.endText()
  const detail = 'The body must be one event object or an array of them.'
  return { type: 'invalid', status: 422, code: 'invalid_type', detail, pointer: '' }
}

function* readLines(reader: EventReader, body: Buffer, allUtf8: boolean): Validation {
  const { scanner, entries } = reader
  for (let start = 0; start < body.length;) {
    if (body[start] === 0x0a) {
      start += 1
      continue
    }
    const found = body.indexOf(0x0a, start)
    const end = found < 0 ? body.length : found
    reader.moveTo(body, start, end)
    if (reader.isSliceOver()) yield
    if (scanner.skipSpace() !== -1) {
      if (entries.length === LIMITS.eventsPerRequestMax) return TOO_MANY
      if (allUtf8 || isUtf8(body.subarray(start, end))) yield* readLine(reader, start)
      else entries.push({ ok: false, error: { code: 'invalid_utf8', pointer: '', message: 'the line is not UTF-8' } })
    }
    start = end + 1
  }
  return entries.length === 0 ? EMPTY_BATCH : { type: 'entries', single: false, entries }
}

/** An unreadable line is one refused entry. */
function* readLine(reader: EventReader, start: number): Generator<undefined, void, undefined> {
  const { entries } = reader
  const count = entries.length
  try {
    reader.begin()
    while (!reader.read()) yield
    reader.endText()
  } catch (error) {
    if (!(error instanceof MalformedJson)) throw error
    entries.length = count
    const message = `the line is not valid JSON (byte ${error.offset - start} of the line)`
    entries.push({ ok: false, error: { code: 'malformed_json', pointer: '', message } })
  }
}
