import { setTimeout as delay } from 'node:timers/promises'
import { ApiError, isTemporary } from '@ariftly/sdk'

/** What waiting for the server is reported to, and what ends it. */
export interface WaitOptions {
  readonly signal: AbortSignal
  /** Called before each wait. */
  readonly onWait: (error: Error, retryAtMs: number) => void
}

const WAIT_MS = { first: 500, max: 10_000 } as const

/**
 * Repeats a call that makes one attempt until the server answers it, for as long as it is unavailable or too busy, or a gateway answers in its place.
 * Throws any other error, and the reason of the signal.
 */
export async function untilAnswered<T>(call: () => Promise<T>, { signal, onWait }: WaitOptions): Promise<T> {
  for (let waitMs: number = WAIT_MS.first; ; waitMs = Math.min(WAIT_MS.max, waitMs * 2)) {
    try {
      return await call()
    } catch (error) {
      signal.throwIfAborted()
      if (!isTemporary(error)) throw error
      const ms = Math.max(waitMs, error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0)
      onWait(error as Error, Date.now() + ms)
      await delay(ms, undefined, { signal }).catch(() => signal.throwIfAborted())
    }
  }
}
