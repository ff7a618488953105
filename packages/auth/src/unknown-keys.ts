/** Names of keys that were looked up and are not valid. */
export interface UnknownKeys {
  has(name: string): boolean
  add(name: string): void
}

/**
 * Remembers names for `forMs` after `add`. Bounded: when `max` are remembered the oldest is forgotten, which costs a look-up.
 * `monotonicNow`: milliseconds of a monotonic clock.
 */
export function createUnknownKeys(o: {
  readonly forMs: number
  readonly max: number
  readonly monotonicNow: () => number
}): UnknownKeys {
  /** In the order of their ends, as each is remembered for the same time. */
  const endsMs = new Map<string, number>()

  function has(name: string): boolean {
    return (endsMs.get(name) ?? -Infinity) > o.monotonicNow()
  }

  function add(name: string): void {
    endsMs.delete(name)
    endsMs.set(name, o.monotonicNow() + o.forMs)
    if (endsMs.size <= o.max) return
    for (const oldest of endsMs.keys()) {
      endsMs.delete(oldest)
      break
    }
  }

  return { has, add }
}
