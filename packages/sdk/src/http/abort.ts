const actsOf = new WeakMap<AbortSignal, Set<() => void>>()

/**
 * Calls `act` when the signal aborts, immediately if it has; the returned function unsubscribes. All calls share one listener
 * for each signal: Node warns of the eleventh.
 */
export function onAbort(signal: AbortSignal | undefined, act: () => void): () => void {
  if (signal === undefined) return () => {}
  if (signal.aborted) {
    act()
    return () => {}
  }
  const acts = actsOf.get(signal) ?? listenTo(signal)
  // A function of its own, so that the same `act` may be added twice.
  const own = () => act()
  acts.add(own)
  return () => void acts.delete(own)
}

function listenTo(signal: AbortSignal): Set<() => void> {
  const acts = new Set<() => void>()
  actsOf.set(signal, acts)
  signal.addEventListener('abort', () => acts.forEach((act) => act()), { once: true })
  return acts
}

/**
 * Settles as the promise does, or rejects with the signal's reason once it aborts. Do not rely on `fetch` for that: on Node 20 it loses the link to
 * its signal when the garbage collector runs while a body is read (nodejs/undici#3644).
 */
export async function orAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  let stop: (() => void) | undefined
  const aborted = new Promise<never>((_, reject) => {
    stop = onAbort(signal, () => reject(signal.reason as Error))
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    stop?.()
  }
}
