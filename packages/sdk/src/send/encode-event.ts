import { EventRefusedError } from '../errors.ts'
import type { NewEvent } from '../types.ts'

/** A posted event, encoded once for all its attempts. */
export interface EncodedEvent {
  /** JSON text after the opening brace, without an id that this client mints; `data` is its last member. */
  readonly text: string
  /** UTF-8 bytes in a batch, with its id and a comma. */
  readonly bytes: number
  /** Order holds among events of one key. */
  readonly key: string
  /** The caller's id. */
  readonly id: string | undefined
  /** The time from which this client mints the id: the call, or `created_at`; undefined when it mints none. */
  readonly mintedOf: 'call' | 'created_at' | undefined
  /** That time, Unix milliseconds. */
  readonly atMs: number
  /** Where `data` begins in `text`; it ends before the last character. */
  readonly dataAt: number
}

/** Largest event that fits a request of 5 MiB with room to spare. */
export const EVENT_BYTES_MAX = 4.5 * 1024 * 1024
/** Bytes of `{`, `"id":"evt_…",` and the comma between events. */
const BYTES_AROUND = 40

/**
 * Encodes an event of a call at `nowMs`. Its id will be minted from `created_at`, otherwise from the call's time; with an
 * `idempotency_key` the server derives it. Throws EventRefusedError for `data` that is no JSON object and for an event that is
 * too large.
 */
export function encodeEvent(event: NewEvent, nowMs: number): EncodedEvent {
  const { id, created_at: createdAt, idempotency_key: idempotencyKey } = event
  const data = dataText(event.data)
  if (typeof id === 'string' && !/^[\w-]{1,64}$/.test(id)) throw refused('invalid_id', '/id', 'is no event id')
  const isMinted = typeof id !== 'string' && typeof idempotencyKey !== 'string'
  const isDated = isMinted && typeof createdAt === 'string'
  const atMs = isDated ? parseTime(createdAt) : nowMs
  if (!(atMs >= 0)) throw refused('invalid_timestamp', '/created_at', 'is no ISO 8601 time')
  let text = ''
  for (const name in event) {
    const value = event[name as keyof NewEvent]
    if (name === 'data' || (name === 'id' && typeof value !== 'string')) continue
    // Undefined for a function: its text would make the whole batch no JSON.
    const json = JSON.stringify(value) as string | undefined
    if (json !== undefined) text += `${JSON.stringify(name)}:${json},`
  }
  const dataAt = text.length + '"data":'.length
  text += `"data":${data}}`
  const bytes = utf8Length(text) + BYTES_AROUND
  if (bytes > EVENT_BYTES_MAX) throw refused('too_long', '', `has ${bytes} bytes, more than fit into a request`)
  const mintedOf = isDated ? 'created_at' : isMinted ? 'call' : undefined
  return { text, bytes, key: keyOf(event), id: id ?? undefined, mintedOf, atMs, dataAt }
}

/** Reads an event back from a spool, as `encodeEvent` took it. Throws SyntaxError for a truncated one. */
export function readEncoded(json: string, atMs: number): EncodedEvent {
  const event = JSON.parse(json) as NewEvent
  return encodeEvent({ ...event, data: json.slice(json.indexOf('"data":') + '"data":'.length, -1) }, atMs)
}

/** JSON text of an event under its id. */
export function jsonOf({ text, mintedOf }: EncodedEvent, id: string | undefined): string {
  return id === undefined || mintedOf === undefined ? `{${text}` : `{"id":"${id}",${text}`
}

/** Decodes an event, with `data` as JSON text, so that it can be sent again unchanged. */
export function decodeEvent({ text, dataAt }: EncodedEvent, id: string | undefined): NewEvent {
  const head = JSON.parse(`{${text.slice(0, dataAt)}null}`) as object
  return { ...(id === undefined ? {} : { id }), ...head, data: text.slice(dataAt, -1) } as NewEvent
}

/** Unix milliseconds; without an offset it is a time in UTC, as the server reads it, and not one of this machine's zone. */
function parseTime(text: string): number {
  return Date.parse(/[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?$/.test(text) ? `${text}Z` : text)
}

function keyOf(event: NewEvent): string {
  return event.task_id ?? `\0${event.session_id ?? ''}`
}

/** Raw text is parsed only to check it: one broken text would break the whole batch. */
function dataText(data: unknown): string {
  if (typeof data !== 'string' && !(data instanceof Uint8Array)) return JSON.stringify(data) ?? 'null'
  let text: string
  let value: unknown
  try {
    text = typeof data === 'string' ? data : new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data)
    value = JSON.parse(text)
  } catch (cause) {
    throw refused('malformed_json', '/data', `is not JSON: ${(cause as Error).message}`)
  }
  if (typeof value !== 'object' || value === null) throw refused('invalid_type', '/data', 'must be an object')
  // Encoding would replace a lone surrogate without an error.
  if (/\p{Cs}/u.test(text)) throw refused('malformed_json', '/data', 'holds half a surrogate pair')
  return text
}

function refused(code: string, pointer: string, message: string): EventRefusedError {
  return new EventRefusedError([{ index: 0, id: undefined, code, pointer, message }])
}

/** UTF-8 bytes of a text; half a surrogate pair counts three, as its replacement does. */
export function utf8Length(text: string): number {
  const { Buffer } = globalThis as { Buffer?: { readonly byteLength: (text: string) => number } }
  return Buffer === undefined ? new TextEncoder().encode(text).length : Buffer.byteLength(text)
}
