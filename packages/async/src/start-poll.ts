import { sleep } from './backoff.ts'
import { FailureLog, type FailureLogOptions } from './failure-log.ts'

/** What is polled, and how often. */
export interface PollOptions extends FailureLogOptions {
  /** One round. May return the pause before the next one, ms, instead of `everyMs`. The signal is the end of the loop. */
  step(signal: AbortSignal): Promise<number | void>
  /** Pause between two rounds, ms. Default 1,000. */
  readonly everyMs?: number
  /** Pause after a round that failed, ms; `failures` counts those in a row before it. Default: `everyMs`. */
  retryMs?(failures: number): number
  /** Called with each failure. */
  onFailure?(error: unknown): void
  /** Ends the polling, as `close` does. */
  readonly signal?: AbortSignal
}

/** A polling loop. */
export interface Poll {
  /** Resolves when the loop has ended; never rejects. */
  readonly ended: Promise<void>
  /** Ends the pause between two rounds, or leaves out the one after the round that is under way. */
  readonly wake: () => void
  /** Ends the loop after the round that is under way, whose failure is not logged any more. Resolves with `ended`. */
  readonly close: () => Promise<void>
}

/** Runs `step` immediately and then repeatedly, one round at a time. Failures are retried without end. */
export function startPoll(o: PollOptions): Poll {
  const { everyMs = 1000 } = o
  const closing = new AbortController()
  const signal = o.signal === undefined ? closing.signal : AbortSignal.any([closing.signal, o.signal])
  const failureLog = new FailureLog(o)
  let failures = 0
  let pause = new AbortController()

  async function run(): Promise<void> {
    while (!signal.aborted) {
      // Before the round: what wakes the loop meanwhile may be later than what the round sees.
      pause = new AbortController()
      const pauseMs = await pollOnce()
      if (!signal.aborted) await sleep(pauseMs, pause.signal)
    }
  }

  function wake(): void {
    pause.abort()
  }

  /** Returns the pause before the next round. */
  async function pollOnce(): Promise<number> {
    try {
      const pauseMs = await o.step(signal)
      failureLog.succeeded()
      failures = 0
      return pauseMs ?? everyMs
    } catch (error) {
      if (signal.aborted) return 0
      failureLog.failed(error)
      o.onFailure?.(error)
      return o.retryMs?.(failures++) ?? everyMs
    }
  }

  signal.addEventListener('abort', wake, { once: true })
  const ended = run()
  return {
    ended,
    wake,
    async close() {
      closing.abort()
      await ended
    },
  }
}
