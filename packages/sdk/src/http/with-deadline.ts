import { TimeoutError } from '../errors.ts'
import { onAbort, orAborted } from './abort.ts'
import { startTimer } from './timer.ts'

/**
 * Runs `act` with a signal that aborts when `signal` does or after `timeoutMs` (0: never). Rejects at that moment with the
 * signal's reason or a TimeoutError, even if `act` continues.
 */
export async function withDeadline<T>(
  signal: AbortSignal | undefined,
  timeoutMs: number,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted()
  const controller = new AbortController()
  const stop = onAbort(signal, () => controller.abort(signal?.reason))
  const expire = () => controller.abort(new TimeoutError(`There was no answer within ${timeoutMs} ms.`))
  const timer = timeoutMs > 0 ? startTimer(expire, timeoutMs) : undefined
  try {
    return await orAborted(controller.signal, act(controller.signal))
  } catch (error) {
    throw controller.signal.aborted ? controller.signal.reason : error
  } finally {
    clearTimeout(timer)
    stop()
  }
}
