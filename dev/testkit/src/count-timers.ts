import { createHook } from 'node:async_hooks'
import { setTimeout as delay } from 'node:timers/promises'

/** Timers of this process, a second. */
export interface TimerRates {
  /** Made, whether or not they run out: an answer that is waited for with a timeout makes one. */
  readonly made: number
  /** Run out: each of them wakes the process. */
  readonly woken: number
}

/** Knows the timers that were made since it was. */
export interface TimerCount {
  /** Counts for this time. */
  during(ms: number): Promise<TimerRates>
  stop(): void
}

/** Starts to track the timers of this process. */
export function countTimers(): TimerCount {
  const own = new Set<number>()
  let made = 0
  let woken = 0
  const hook = createHook({
    init(id, type) {
      if (type !== 'Timeout') return
      own.add(id)
      made += 1
    },
    before(id) {
      if (own.has(id)) woken += 1
    },
  }).enable()
  return {
    async during(ms) {
      made = woken = 0
      const startedMs = performance.now()
      await delay(ms)
      const seconds = (performance.now() - startedMs) / 1000
      return { made: made / seconds, woken: woken / seconds }
    },
    stop: () => void hook.disable(),
  }
}
