import { pointerToken, type CheckFault } from './describe-errors.ts'
import { WEBHOOK_LIMITS } from './limits.ts'

/** Names that the sender sets, and names that belong to the connection or its framing (RFC 9110, 7.6.1 and 10.1.1). */
const RESERVED_HEADERS: ReadonlySet<string> = new Set(
  (
    'host user-agent traceparent tracestate accept-encoding expect connection keep-alive te trailer transfer-encoding ' +
    'upgrade http2-settings'
  ).split(' '),
)
const RESERVED_PREFIXES = ['content-', 'proxy-', 'webhook-', 'x-ariftly-'] as const

/** Custom headers of a webhook: well-formed names and values (RFC 9110, 5.5 and 5.6.2), none reserved, none twice. */
export function checkHeaders(value: unknown): CheckFault | undefined {
  const names = new Set<string>()
  for (const [name, text] of Object.entries(value as Readonly<Record<string, unknown>>)) {
    const message = nameFault(name, names) ?? valueFault(text)
    if (message !== undefined) return { code: 'invalid_value', message, path: `/${pointerToken(name)}` }
    names.add(name.toLowerCase())
  }
  return undefined
}

function nameFault(name: string, earlier: ReadonlySet<string>): string | undefined {
  const lower = name.toLowerCase()
  if (name.length > WEBHOOK_LIMITS.headerNameCharsMax || !/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name))
    return 'is not a header name'
  if (RESERVED_HEADERS.has(lower) || RESERVED_PREFIXES.some((prefix) => lower.startsWith(prefix)))
    return 'is a header that cannot be set'
  return earlier.has(lower) ? 'is a duplicate (names do not differ by case)' : undefined
}

function valueFault(text: unknown): string | undefined {
  // The schema says that it is a string.
  if (typeof text !== 'string') return undefined
  const max = WEBHOOK_LIMITS.headerValueCharsMax
  const good = text.length <= max && /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text)
  return good ? undefined : `must be 1 to ${max} printable ASCII characters without outer spaces`
}
