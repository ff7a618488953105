import { onAbort } from './abort.ts'
import { startTimer } from './timer.ts'

/** How long to wait before a retry. */
export interface BackOff {
  /** Upper bound of the first random wait, milliseconds; it doubles with each failure. */
  readonly firstMs: number
  /** Upper bound of every random wait. */
  readonly maxMs: number
  /** Upper limit of what a server may ask for. */
  readonly floorMsMax: number
  /** 0 to below 1; default `Math.random`. */
  readonly random?: () => number
}

/** 0.25 s, 0.5 s, 1 s, … up to 30 s as upper bounds. */
export const BACK_OFF: BackOff = { firstMs: 250, maxMs: 30_000, floorMsMax: 60_000 }

/**
 * The server's wait (`floorMs`) plus full jitter: a random time up to the bound of this failure (1 for the first), so that
 * clients that were refused together do not retry together.
 */
export function backOffMs(
  failures: number,
  floorMs: number,
  { firstMs, maxMs, floorMsMax, random = Math.random }: BackOff,
): number {
  const bound = Math.min(maxMs, firstMs * 2 ** Math.min(30, failures - 1))
  return Math.min(floorMs, floorMsMax) + Math.ceil(random() * bound)
}

/** `Retry-After` (RFC 9110, 10.2.3) in milliseconds, from seconds or a date; undefined when it is absent or unreadable. */
export function retryAfterMs(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined
  if (/^\s*\d+(\.\d+)?\s*$/.test(header)) return Number(header) * 1000
  const atMs = Date.parse(header)
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs)
}

/** Statuses after which the same request may succeed. */
export function isRetryableStatus(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500
}

/** Waits; rejects with the signal's reason when it aborts. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = startTimer(() => {
      stop()
      resolve()
    }, ms)
    const stop = onAbort(signal, () => {
      clearTimeout(timer)
      reject(signal?.reason as Error)
    })
  })
}
