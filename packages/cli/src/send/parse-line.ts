import type { NewEvent } from '@ariftly/sdk'
import { rawMember } from '../json/raw-json.ts'

/** A line of input: an event to send, or why it is none. */
export type ParsedLine =
  | { readonly type: 'event'; readonly event: NewEvent; readonly atMs: number | undefined; readonly hasOwnId: boolean }
  | { readonly type: 'refused'; readonly code: string; readonly pointer: string; readonly message: string }

/**
 * Reads one line of NDJSON. `data` is kept byte for byte, so that numbers are not rounded. `atMs` is that of `created_at`; `hasOwnId` when the line
 * has an id, or an `idempotency_key` of which the server makes one.
 */
export function parseLine(text: string): ParsedLine {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return refuse('malformed_json', '', (error as Error).message)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refuse('invalid_type', '', 'must be an object')
  const { id, created_at: createdAt, idempotency_key: key, data } = value as Readonly<Record<string, unknown>>
  const atMs = typeof createdAt === 'string' ? parseTime(createdAt) : undefined
  if (Number.isNaN(atMs)) return refuse('invalid_timestamp', '/created_at', 'is no ISO 8601 time')
  const isObject = typeof data === 'object' && data !== null && !Array.isArray(data)
  // A value that is no object is sent unchanged, and the server refuses it with its own error.
  const event = (isObject ? { ...value, data: rawMember(text, 'data') } : value) as NewEvent
  return { type: 'event', event, atMs, hasOwnId: typeof id === 'string' || typeof key === 'string' }
}

/** Unix milliseconds; without an offset it is a time in UTC, as the server reads it, and not one of this machine's zone. */
function parseTime(text: string): number {
  return Date.parse(/[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?$/.test(text) ? `${text}Z` : text)
}

function refuse(code: string, pointer: string, message: string): ParsedLine {
  return { type: 'refused', code, pointer, message }
}
