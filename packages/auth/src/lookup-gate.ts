/** Lets a bounded number of look-ups run at the same time; further ones wait in order. */
export interface LookupGate {
  /** Runs the look-up as soon as fewer than `runningMax` others run. */
  run<T>(lookUp: () => Promise<T>): Promise<T>
  /** Whether `waitingMax` callers wait already: the next one is to be refused. */
  readonly isFull: boolean
}

/** Creates a gate with nothing running. */
export function createLookupGate({
  runningMax,
  waitingMax,
}: {
  readonly runningMax: number
  readonly waitingMax: number
}): LookupGate {
  const waiting: (() => void)[] = []
  let running = 0

  return {
    async run(lookUp) {
      // One that ends hands its place to the first that waits.
      if (running >= runningMax) await new Promise<void>((resolve) => waiting.push(resolve))
      else running += 1
      try {
        return await lookUp()
      } finally {
        const next = waiting.shift()
        if (next === undefined) running -= 1
        else next()
      }
    },
    get isFull() {
      return waiting.length >= waitingMax
    },
  }
}
