import { TimeoutError } from '../errors.ts'

/**
 * Runs `act` with a signal that aborts when `signal` does or when `timeoutMs` is over (0: never). Rejects with the signal's reason, or with a
 * TimeoutError, also when `act` rejects with something else because of it.
 */
export async function withDeadline<T>(
  signal: AbortSignal | undefined,
  timeoutMs: number,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted()
  const controller = new AbortController()
  const timeout = timeoutMs > 0 ? setTimeout(expire, timeoutMs) : undefined
  signal?.addEventListener('abort', forward)
  function expire(): void {
    controller.abort(new TimeoutError(`There was no answer within ${timeoutMs} ms.`))
  }
  function forward(): void {
    controller.abort(signal?.reason)
  }
  try {
    return await act(controller.signal)
  } catch (error) {
    throw controller.signal.aborted ? controller.signal.reason : error
  } finally {
    clearTimeout(timeout)
    signal?.removeEventListener('abort', forward)
  }
}
