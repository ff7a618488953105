/**
 * Returns a function that says whether work has used up its time in this event-loop turn: `limitMs` from its first call in the
 * turn. Work that shares one clock calls it between two steps and, when it returns true, continues in the next turn; one step
 * may exceed the limit. `now` is a monotonic clock, ms.
 */
export function createTurnClock(limitMs: number, now: () => number = () => performance.now()): () => boolean {
  /** Undefined until the first call in this turn. */
  let untilMs: number | undefined

  return function isTurnOver() {
    if (untilMs === undefined) {
      untilMs = now() + limitMs
      setImmediate(() => {
        untilMs = undefined
      })
    }
    return now() > untilMs
  }
}
