/** What a `traceparent` header says. */
export interface TraceContext {
  /** 32 lower-case hex digits, not all zero. */
  readonly traceId: string
  /** 16 lower-case hex digits, not all zero. */
  readonly spanId: string
  /** A caller upstream records this trace. */
  readonly sampled: boolean
}

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/
/** Length of version 00, which ends after the flags; later versions may continue after another dash. */
const CHARS = 55
const SAMPLED = 0x01

/**
 * Reads a caller's header as version 00, flags unchanged; later versions are read as 00 (W3C Trace Context, 3.2). Undefined for
 * anything invalid. Never throws.
 */
export function normalTraceparent(text: unknown): string | undefined {
  if (typeof text !== 'string' || !TRACEPARENT.test(text)) return undefined
  if (text.startsWith('00')) return text.length === CHARS ? text : undefined
  return `00${text.slice(2, CHARS)}`
}

/** What the header of a stranger says; undefined where {@link normalTraceparent} is. Never throws. */
export function parseTraceparent(text: unknown): TraceContext | undefined {
  const normal = normalTraceparent(text)
  if (normal === undefined) return undefined
  const flags = Number.parseInt(normal.slice(53), 16)
  return { traceId: normal.slice(3, 35), spanId: normal.slice(36, 52), sampled: (flags & SAMPLED) !== 0 }
}

/** The header of a context, of version 00. */
export function formatTraceparent(context: TraceContext): string {
  return `00-${context.traceId}-${context.spanId}-${context.sampled ? '01' : '00'}`
}
