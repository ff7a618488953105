/** Resolves in a later tick of the event loop, in the order of the calls. */
export type DeferRefusal = () => Promise<void>

const EACH_TURN = 4

/**
 * Releases at most 4 rate-limit refusals per event-loop tick, so that a burst of 429s cannot delay other requests or Kafka's
 * answers. The queue is bounded by the number of open connections, as each has at most one request in the fast path.
 */
export function createDeferRefusal(): DeferRefusal {
  const waiting: (() => void)[] = []

  function releaseSome(): void {
    for (const resolve of waiting.splice(0, EACH_TURN)) resolve()
    if (waiting.length > 0) setImmediate(releaseSome)
  }

  return function deferRefusal() {
    return new Promise((resolve) => {
      if (waiting.push(resolve) === 1) setImmediate(releaseSome)
    })
  }
}
