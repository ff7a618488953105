/** One member of a resource that a write has changed, as the audit log shows it. */
export interface Change {
  /** JSON pointer (RFC 6901) to the innermost member that changed. */
  readonly member: string
  /** Absent, with {@link changed}, for values that the audit log does not keep. */
  readonly before?: unknown
  readonly after?: unknown
  /** The value changed and is not shown: secrets, filters and headers. */
  readonly changed?: true
  /** `before` or `after` was longer than 1 KiB and is cut. */
  readonly truncated?: true
}

const MEMBERS_MAX = 32
/** Bytes of a value, as JSON or, of a text, as UTF-8. */
const VALUE_BYTES_MAX = 1024

/** What a write leaves of a resource: its settings by the API's names, without what the service itself keeps (times, counts). */
export type Settings = Readonly<Record<string, unknown>>

/**
 * Returns what differs between two states of a resource, at most 32 members in the order of `after`. `before` is undefined when the
 * resource is created: members that are set then count, each with `before` null. Members of objects are compared one by one,
 * arrays as a whole.
 */
export function changesOf(before: Settings | undefined, after: Settings): readonly Change[] {
  return [...compare('', before, after)].slice(0, MEMBERS_MAX)
}

/** A change of a member whose value is not shown. */
export function hiddenChange(member: string): Change {
  return { member, changed: true }
}

function* compare(pointer: string, before: Settings | undefined, after: Settings): Generator<Change> {
  for (const [name, value] of Object.entries(after)) {
    const member = `${pointer}/${name}`
    const former = before?.[name] ?? null
    if (isObject(value)) yield* compare(member, isObject(former) ? former : undefined, value)
    else if (JSON.stringify(former) !== JSON.stringify(value)) yield shown(member, former, value)
  }
}

function shown(member: string, before: unknown, after: unknown): Change {
  const [cutBefore, cutAfter] = [cut(before), cut(after)]
  const isCut = cutBefore !== before || cutAfter !== after
  return { member, before: cutBefore, after: cutAfter, ...(isCut ? { truncated: true } : {}) }
}

/** The value itself, or the beginning of its text when that is too long. */
function cut(value: unknown): unknown {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  if (Buffer.byteLength(text) <= VALUE_BYTES_MAX) return value
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(VALUE_BYTES_MAX))
  return text.slice(0, read)
}

function isObject(value: unknown): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
