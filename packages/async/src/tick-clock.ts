/**
 * Returns a function that says whether work has used up its time in this event-loop tick: `limitMs` from its first call in the
 * tick. Work that shares one clock calls it between two steps and, when it returns true, continues in the next tick; one step
 * may exceed the limit. `now` is a monotonic clock, ms.
 */
export function createTickClock(limitMs: number, now: () => number = () => performance.now()): () => boolean {
  /** Undefined until the first call in this tick. */
  let untilMs: number | undefined

  return function isTickOver() {
    if (untilMs === undefined) {
      untilMs = now() + limitMs
      setImmediate(() => {
        untilMs = undefined
      })
    }
    return now() > untilMs
  }
}
