import type { NewEvent } from '@ariftly/sdk'

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

/** The text of a member of a JSON object; the last one of that name, as JSON.parse takes it. `text` must be valid. */
export function rawMember(text: string, name: string): string | undefined {
  let raw: string | undefined
  let at = text.indexOf('{') + 1
  for (;;) {
    const start = text.indexOf('"', at)
    if (start < 0) return raw
    const end = endOfString(text, start)
    const from = text.indexOf(':', end) + 1
    at = endOfValue(text, from)
    const key = text.slice(start + 1, end - 1)
    if (key === name || (key.includes('\\') && JSON.parse(`"${key}"`) === name)) raw = text.slice(from, at).trim()
  }
}

/** Index behind the quote that ends the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); ; at = text.indexOf('"', at + 1)) {
    let slashes = 0
    while (text[at - 1 - slashes] === '\\') slashes += 1
    if (slashes % 2 === 0) return at + 1
  }
}

/** Index of the comma or brace behind the value that begins at or after `from`. */
function endOfValue(text: string, from: number): number {
  let depth = 0
  STRUCTURE.lastIndex = from
  for (let found = STRUCTURE.exec(text); found !== null; found = STRUCTURE.exec(text)) {
    const [char] = found
    if (char === '"') STRUCTURE.lastIndex = endOfString(text, found.index)
    else if (char === '{' || char === '[') depth += 1
    else if (depth === 0) return found.index
    else if (char !== ',') depth -= 1
  }
  return text.length
}

const STRUCTURE = /["{}[\],]/g

function refuse(code: string, pointer: string, message: string): ParsedLine {
  return { type: 'refused', code, pointer, message }
}
