import { EventRefusedError } from '../errors.ts'
import type { NewEvent } from '../types.ts'
import type { EventIdMinter } from './event-id.ts'

/** An event as it is posted. */
export interface EncodedEvent {
  /** JSON text on which a batch is built; `data` is its last member. */
  readonly json: string
  /** UTF-8 bytes of `json`. */
  readonly bytes: number
  /** Order holds among events of one key. */
  readonly key: string
  /** Undefined when the server derives the id from `idempotency_key`. */
  readonly id: string | undefined
  /** Whether the id, and with it the time, is this client's. */
  readonly isMinted: boolean
  /** Where `data` begins in `json`; it ends before the last character. */
  readonly dataAt: number
}

/** Largest event that fits a request of 5 MiB with room to spare. */
export const EVENT_BYTES_MAX = 4.5 * 1024 * 1024

/**
 * Encodes an event once, for all its attempts, and gives it an id so that each repetition is harmless: the millisecond of `created_at`, else
 * `nowMs`. Throws EventRefusedError for `data` that is no JSON object and for what is too large to be sent.
 */
export function encodeEvent(event: NewEvent, minter: EventIdMinter, nowMs: number): EncodedEvent {
  const data = dataText(event.data)
  const { id, isMinted } = identify(event, minter, nowMs)
  let json = id === undefined ? '' : `"id":"${id}"`
  for (const name in event) {
    if (name === 'data' || name === 'id') continue
    const value = event[name as keyof NewEvent]
    if (value === undefined) continue
    json += `${json === '' ? '' : ','}${JSON.stringify(name)}:${JSON.stringify(value)}`
  }
  json = `{${json},"data":${data}}`
  const bytes = utf8Length(json)
  if (bytes > EVENT_BYTES_MAX) throw refused('too_long', '', `has ${bytes} bytes, more than fit into a request`)
  return { json, bytes, key: keyOf(event), id, isMinted, dataAt: json.length - data.length - 1 }
}

/** Reads back what `encodeEvent` made, as from a spool. Throws SyntaxError for what is cut. */
export function readEncoded(json: string): EncodedEvent {
  const event = JSON.parse(json) as NewEvent
  const dataAt = json.indexOf(',"data":') + ',"data":'.length
  return { json, bytes: utf8Length(json), key: keyOf(event), id: event.id ?? undefined, isMinted: false, dataAt }
}

function keyOf(event: NewEvent): string {
  return event.task_id ?? `\0${event.session_id ?? ''}`
}

/** The same event under another id, for one that was refused because of a wrong clock. */
export function withId(encoded: EncodedEvent, id: string): EncodedEvent {
  return { ...encoded, id, json: encoded.json.replace(encoded.id ?? id, id) }
}

/** The event of an encoded one, with `data` as JSON text, so that it can be sent again as it was. */
export function decodeEvent({ json, dataAt }: EncodedEvent): NewEvent {
  const head = JSON.parse(`${json.slice(0, dataAt)}null}`) as object
  return { ...head, data: json.slice(dataAt, -1) } as NewEvent
}

function identify(
  event: NewEvent,
  minter: EventIdMinter,
  nowMs: number,
): { id: string | undefined; isMinted: boolean } {
  const { id, created_at: createdAt, idempotency_key: idempotencyKey } = event
  if (typeof id === 'string') {
    if (!/^[\w-]{1,64}$/.test(id)) throw refused('invalid_id', '/id', 'is no event id')
    return { id, isMinted: false }
  }
  if (typeof idempotencyKey === 'string') return { id: undefined, isMinted: false }
  if (typeof createdAt !== 'string') return { id: minter.mint(nowMs), isMinted: true }
  const ms = Date.parse(createdAt)
  if (!(ms >= 0)) throw refused('invalid_timestamp', '/created_at', 'is no ISO 8601 time')
  return { id: minter.mint(ms), isMinted: false }
}

/** Raw text is parsed, and thrown away, since one broken text would break the whole batch. */
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
  // Encoding would replace a lone surrogate without a word.
  if (/\p{Cs}/u.test(text)) throw refused('malformed_json', '/data', 'holds half a surrogate pair')
  return text
}

function refused(code: string, pointer: string, message: string): EventRefusedError {
  return new EventRefusedError([{ index: 0, id: undefined, code, pointer, message }])
}

interface WithByteLength {
  readonly byteLength: (text: string) => number
}

/** UTF-8 bytes of a well-formed text; a lone surrogate counts three, as its replacement does. */
export function utf8Length(text: string): number {
  const { Buffer } = globalThis as { Buffer?: WithByteLength }
  if (Buffer !== undefined) return Buffer.byteLength(text)
  let bytes = text.length
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code < 0x80) continue
    bytes += code < 0x8_00 ? 1 : 2
    // The pair is four bytes: two more than its two units.
    if (code >= 0xd8_00 && code < 0xdc_00 && (text.charCodeAt(at + 1) & 0xfc_00) === 0xdc_00) at += 1
  }
  return bytes
}
