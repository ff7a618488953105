/** Resolves in a turn of the event loop after what is more urgent was looked at; in the order of the calls. */
export type LateTurn = () => Promise<void>

/** So many go on in one turn. */
const EACH_TURN = 4

/**
 * Creates a queue for answers that can wait: refusals of keys that have had their share. They come in bursts, and half of what one costs is its answer; answered at once,
 * a burst would stand before every request, and every word of Kafka's, that came a moment after it. So a few are answered in each turn of the event loop, which looks at
 * all sockets between two turns. Not for `node:http`, which goes on reading what a client sends ahead: what waits is to be bounded by the open connections.
 */
export function createLateTurns(): LateTurn {
  const waiting: (() => void)[] = []

  function goOn(): void {
    for (const resolve of waiting.splice(0, EACH_TURN)) resolve()
    if (waiting.length > 0) setImmediate(goOn)
  }

  return function lateTurn() {
    return new Promise((resolve) => {
      if (waiting.push(resolve) === 1) setImmediate(goOn)
    })
  }
}
