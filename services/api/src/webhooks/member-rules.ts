import { EVENT_TYPES, isEventType, isIdentifier } from '@ariftly/events'
import { WEBHOOK_LIMITS } from './webhook-limits.ts'

/** A value that a rule has read, or what is wrong; `path` leads from the member to the place (`/1`). */
export type Judged<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: string; readonly message: string; readonly path?: string }

const GROUPS: ReadonlySet<string> = new Set(EVENT_TYPES.map((type) => `${type.slice(0, type.indexOf('.'))}.*`))

function good<T>(value: T): Judged<T> {
  return { ok: true, value }
}

/** Refuses a value, with a code and the end of the sentence "it …". */
export function refuse(code: string, message: string, path = ''): Judged<never> {
  return { ok: false, code, message, path }
}

/** Exact types, groups and `*`, each once. */
export function judgeEvents(value: unknown): Judged<readonly string[]> {
  if (!Array.isArray(value)) return refuse('invalid_type', 'must be an array of event types')
  if (value.length === 0) return refuse('too_few', 'must name at least one event type, a group or *')
  if (value.length > WEBHOOK_LIMITS.eventsMax)
    return refuse('too_many', `may have at most ${WEBHOOK_LIMITS.eventsMax} entries`)
  for (const [index, entry] of value.entries()) {
    if (typeof entry !== 'string') return refuse('invalid_type', 'must be a string', `/${index}`)
    if (entry !== '*' && !isEventType(entry) && !GROUPS.has(entry))
      return refuse('unknown_type', 'is no event type, no group (task.*) and not *', `/${index}`)
    if (value.indexOf(entry) !== index) return refuse('duplicate', 'stands more than once', `/${index}`)
  }
  return good(value as string[])
}

/** A `task_id`, `session_id` or `agent` filter. */
export function judgeIdentifier(value: unknown): Judged<string> {
  if (typeof value !== 'string') return refuse('invalid_type', 'must be a string')
  return isIdentifier(value)
    ? good(value)
    : refuse('invalid_format', 'must be 1 to 128 characters of A-Z a-z 0-9 _ . : - /')
}

/** Any text that Postgres can hold. */
export function judgeDescription(value: unknown): Judged<string> {
  if (typeof value !== 'string') return refuse('invalid_type', 'must be a string')
  if (value.length > WEBHOOK_LIMITS.descriptionCharsMax)
    return refuse('too_long', `may have at most ${WEBHOOK_LIMITS.descriptionCharsMax} characters`)
  if (value.includes('\0') || /\p{Surrogate}/u.test(value))
    return refuse('invalid_string', 'must not contain \\u0000 or a lone surrogate')
  return good(value)
}

/** `true` or `false`. */
export function judgeBoolean(value: unknown): Judged<boolean> {
  return typeof value === 'boolean' ? good(value) : refuse('invalid_type', 'must be true or false')
}

/** Deliveries a second. */
export function judgeRateLimit(value: unknown): Judged<number> {
  if (typeof value !== 'number' || !Number.isInteger(value)) return refuse('invalid_type', 'must be an integer')
  return value >= 1 && value <= WEBHOOK_LIMITS.rateLimitMax
    ? good(value)
    : refuse('out_of_range', `must be from 1 to ${WEBHOOK_LIMITS.rateLimitMax}`)
}

/** `none` or `task`. */
export function judgeOrdering(value: unknown): Judged<'none' | 'task'> {
  if (value === 'none' || value === 'task') return good(value)
  return refuse(typeof value === 'string' ? 'invalid_value' : 'invalid_type', 'must be "none" or "task"')
}

/** Names that the sender sets, and those that belong to the connection or its framing (RFC 9110, 7.6.1 and 10.1.1). */
const RESERVED_HEADERS: ReadonlySet<string> = new Set(
  (
    'host user-agent traceparent tracestate accept-encoding expect connection keep-alive te trailer transfer-encoding ' +
    'upgrade http2-settings'
  ).split(' '),
)
const RESERVED_PREFIXES = ['content-', 'proxy-', 'webhook-', 'x-ariftly-'] as const

/** Custom headers: an object of names and values, none of ours. */
export function judgeHeaders(value: unknown): Judged<Readonly<Record<string, string>>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refuse('invalid_type', 'must be an object of header names and values')
  const entries: [string, unknown][] = Object.entries(value)
  if (entries.length > WEBHOOK_LIMITS.headersMax)
    return refuse('too_many', `may have at most ${WEBHOOK_LIMITS.headersMax} headers`)
  const names = new Set<string>()
  for (const [name, text] of entries) {
    const fault = headerFault(name, text) ?? (names.has(name.toLowerCase()) ? DOUBLED : undefined)
    if (fault !== undefined) return refuse(fault.code, fault.message, `/${escapePointer(name)}`)
    names.add(name.toLowerCase())
  }
  return good(value as Record<string, string>)
}

const DOUBLED: HeaderFault = { code: 'duplicate', message: 'stands more than once (names do not differ by case)' }

interface HeaderFault {
  readonly code: string
  readonly message: string
}

function headerFault(name: string, text: unknown): HeaderFault | undefined {
  const lower = name.toLowerCase()
  if (name.length > WEBHOOK_LIMITS.headerNameCharsMax || !/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name))
    return { code: 'invalid_name', message: 'is not a header name' }
  if (RESERVED_HEADERS.has(lower) || RESERVED_PREFIXES.some((prefix) => lower.startsWith(prefix)))
    return { code: 'reserved_name', message: 'is a header that cannot be set' }
  if (typeof text !== 'string') return { code: 'invalid_type', message: 'must be a string' }
  const max = WEBHOOK_LIMITS.headerValueCharsMax
  if (text.length > max || !/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text))
    return { code: 'invalid_value', message: `must be 1 to ${max} printable ASCII characters without outer spaces` }
  return undefined
}

/** A name as a part of a JSON pointer (RFC 6901). */
export function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}
