/** A bound on how much runs at the same time. */
export interface Slots {
  /** Runs `work` when a slot is free; first come, first served. */
  readonly run: <T>(work: () => Promise<T>) => Promise<T>
}

export function createSlots(count: number): Slots {
  let free = count
  const waiting: (() => void)[] = []

  async function run<T>(work: () => Promise<T>): Promise<T> {
    if (free > 0) free -= 1
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else free += 1
    }
  }

  return { run }
}
