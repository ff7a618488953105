import { isUtf8 } from 'node:buffer'
import { SLICE_BYTES } from '../validation/event-reader.ts'
import { pointerToken } from '../json/json-pointer.ts'
import { JsonScanner } from '../json/json-scanner.ts'
import { MalformedJson } from '../json/json-tokens.ts'
import { LIMITS } from '../limits.ts'
import { EMPTY_BATCH, malformed, MISSING_BODY, TOO_MANY, validateEvents } from '../validation/validate-events.ts'
import type {
  EntryError,
  ValidatedEntry,
  Validation,
  ValidationContext,
  ValidationResult,
} from '../validation/validation.ts'
import { attributeOf, newEventText, type CloudEvent } from './cloud-event.ts'

const INVALID_UTF8: ValidationResult = {
  type: 'invalid',
  status: 400,
  code: 'invalid_utf8',
  detail: 'The body is not UTF-8.',
}

type ReadCloudEvent =
  { readonly ok: true; readonly event: CloudEvent } | { readonly ok: false; readonly error: EntryError }

/** Attributes that must be text. */
const TEXTS: ReadonlySet<string> = new Set([
  'specversion',
  'id',
  'source',
  'type',
  'subject',
  'time',
  'datacontenttype',
  'taskid',
  'sessionid',
  'agent',
])
/** Members that are refused with any value. */
const REFUSED: ReadonlySet<string> = new Set(['tenant', 'data_base64'])

/**
 * Reads and validates a body in the JSON format of CloudEvents: one event (structured mode) or an array of them (batched mode).
 * Each is translated to our own JSON form; pointers of errors name the CloudEvent's members. Never throws on any input.
 */
export function* validateCloudEvents(
  body: Buffer,
  mode: 'structured' | 'batched',
  context: ValidationContext,
): Validation {
  if (body.length === 0) return MISSING_BODY
  if (!isUtf8(body)) return INVALID_UTF8
  let read: readonly ReadCloudEvent[] | ValidationResult
  try {
    read = yield* readBody(openScanner(body), mode)
  } catch (error) {
    if (error instanceof MalformedJson) return malformed(body, error)
    throw error
  }
  if ('type' in read) return read
  return { type: 'entries', single: mode === 'structured', entries: yield* validate(read, context) }
}

/**
 * Validates a CloudEvent of the binary mode: attributes from headers, `data` is the body. An error of an attribute names it as `parameter`
 * (`ce-type`), one of the body has a pointer into it.
 */
export function* validateBinaryCloudEvent(
  attributes: ReadonlyMap<string, string>,
  body: Buffer,
  context: ValidationContext,
): Validation {
  if (!isUtf8(body)) return INVALID_UTF8
  const scanner = openScanner(body)
  const isEmpty = scanner.skipSpace() === -1
  try {
    if (!isEmpty) yield* scanValueAlone(scanner)
  } catch (error) {
    if (error instanceof MalformedJson) return malformed(body, error)
    throw error
  }
  const event = { attributes, data: isEmpty ? undefined : body }
  const results = yield* validate([{ ok: true, event }], context)
  const entries = results.map((entry): ValidatedEntry => {
    return entry.ok ? entry : { ...entry, error: inHeaders(entry.error) }
  })
  return { type: 'entries', single: true, entries }
}

/** Members of the JSON format are headers of the binary mode, but for `data`. */
function inHeaders({ pointer, code, message }: EntryError): EntryError {
  const attribute = pointer.slice(1)
  if (attribute === 'data' || attribute.startsWith('data/'))
    return { pointer: pointer.slice('/data'.length), code, message }
  return { pointer: '', parameter: `ce-${attribute}`, code, message }
}

function openScanner(body: Buffer): JsonScanner {
  const scanner = new JsonScanner()
  scanner.reset(body, 0, body.length)
  scanner.pauseAt = SLICE_BYTES
  return scanner
}

/** A part of the work, which yields as a {@link Validation} does. */
type Slices<T> = Generator<undefined, T, undefined>

function* scanName(scanner: JsonScanner): Slices<void> {
  while (!scanner.scanName()) {
    scanner.extend(SLICE_BYTES)
    yield
  }
}

function* scanValue(scanner: JsonScanner): Slices<void> {
  while (!scanner.scanValue(1)) {
    scanner.extend(SLICE_BYTES)
    yield
  }
}

function* readBody(
  scanner: JsonScanner,
  mode: 'structured' | 'batched',
): Slices<readonly ReadCloudEvent[] | ValidationResult> {
  const first = scanner.skipSpace()
  if (mode === 'structured') {
    if (first !== -1 && first !== 0x7b) return yield* noEvent(scanner, 'The body must be one CloudEvent.')
    const event = yield* readEvent(scanner)
    endOfText(scanner)
    return [event]
  }
  if (first !== -1 && first !== 0x5b) return yield* noEvent(scanner, 'The body must be an array of CloudEvents.')
  if (first === -1) throw new MalformedJson(scanner.at)
  const events: ReadCloudEvent[] = []
  for (let more = scanner.enterArray(); more; more = scanner.nextElement()) {
    if (events.length === LIMITS.eventsPerRequestMax) return TOO_MANY
    events.push(yield* readEvent(scanner))
  }
  endOfText(scanner)
  return events.length === 0 ? EMPTY_BATCH : events
}

function* noEvent(scanner: JsonScanner, detail: string): Validation {
  yield* scanValueAlone(scanner)
  return { type: 'invalid', status: 422, code: 'invalid_type', detail, pointer: '' }
}

function* scanValueAlone(scanner: JsonScanner): Slices<void> {
  yield* scanValue(scanner)
  endOfText(scanner)
}

function endOfText(scanner: JsonScanner): void {
  if (scanner.skipSpace() !== -1) throw new MalformedJson(scanner.at)
}

/** Reads one value and moves after it. */
function* readEvent(scanner: JsonScanner): Slices<ReadCloudEvent> {
  if (scanner.skipSpace() !== 0x7b) {
    yield* scanValue(scanner)
    return { ok: false, error: { code: 'invalid_type', pointer: '', message: 'must be a CloudEvent' } }
  }
  const attributes = new Map<string, string>()
  const seen = new Set<string>()
  let data: Buffer | undefined
  let error: EntryError | undefined
  for (let more = scanner.enterObject(); more; more = scanner.nextMember()) {
    yield* scanName(scanner)
    const name = scanner.textOf(scanner.stringStart, scanner.stringEnd, scanner.stringEscaped)
    const start = scanner.at
    yield* scanValue(scanner)
    if (seen.has(name)) error ??= fault(name, 'invalid_value', 'is there more than once')
    seen.add(name)
    const raw = scanner.bytes.subarray(start, scanner.at)
    if (raw[0] === 0x6e) continue // null is absent
    if (name === 'data') data = raw
    else if (raw[0] === 0x22) attributes.set(name, JSON.parse(raw.toString('utf8')) as string)
    else if (REFUSED.has(name)) attributes.set(name, '')
    else if (TEXTS.has(name)) error ??= fault(name, 'invalid_type', 'must be a string')
  }
  return error === undefined ? { ok: true, event: { attributes, data } } : { ok: false, error }
}

function fault(name: string, code: EntryError['code'], message: string): EntryError {
  return { code, pointer: `/${pointerToken(name)}`, message }
}

/** Validates the translated events in one call and puts the results in the order of the input. */
function* validate(read: readonly ReadCloudEvent[], context: ValidationContext): Slices<readonly ValidatedEntry[]> {
  const texts: Buffer[] = []
  const translated: ReadCloudEvent[] = []
  for (const entry of read) {
    if (translated.length % TRANSLATED_A_SLICE === TRANSLATED_A_SLICE - 1) yield
    translated.push(translate(entry, texts))
  }
  const checked =
    texts.length === 0 ? undefined : yield* validateEvents(Buffer.concat([...texts, CLOSE]), 'json', context)
  const results = checked?.type === 'entries' ? checked.entries.values() : undefined
  return translated.map((entry): ValidatedEntry => {
    if (!entry.ok) return entry
    const result = results?.next().value
    if (result === undefined) throw new Error('A translated CloudEvent was not read as an event.')
    if (result.ok) return result
    const attribute = attributeOf(result.error, entry.event.attributes)
    return attribute === undefined ? result : { ...result, error: { ...result.error, pointer: `/${attribute}` } }
  })
}

const TRANSLATED_A_SLICE = 50

/** Adds the event's text in our own JSON form to `texts`. */
function translate(entry: ReadCloudEvent, texts: Buffer[]): ReadCloudEvent {
  if (!entry.ok) return entry
  const result = newEventText(entry.event)
  if (!result.ok) return { ok: false, error: fault(result.error.attribute, result.error.code, result.error.message) }
  texts.push(texts.length === 0 ? OPEN : COMMA, result.text)
  return entry
}

const OPEN = Buffer.from('[')
const COMMA = Buffer.from(',')
const CLOSE = Buffer.from(']')
