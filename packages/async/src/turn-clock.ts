/**
 * Makes a function that answers whether work has used up its time in this turn of the event loop: `limitMs` from the first question of the
 * turn. Work that shares one clock asks between two steps, and continues in the next turn when the answer is yes; one step may go beyond
 * the limit. `now` is a monotonic clock, ms.
 */
export function createTurnClock(limitMs: number, now: () => number = () => performance.now()): () => boolean {
  /** Undefined until the first question of this turn. */
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
