import { deferred } from './deferred.ts'

/**
 * The first success of several alternatives. The next one starts when the previous failed, or after `pauseMs` without an
 * outcome, so one that hangs costs `pauseMs`. Rejects with the last error when all failed.
 */
export async function raceStaggered<T>(attempts: readonly (() => Promise<T>)[], pauseMs: number): Promise<T> {
  const { promise, resolve, reject } = deferred<T>()
  let begun = 0
  let open = 0
  let settled = false
  let timer: NodeJS.Timeout | undefined

  function beginNext(): void {
    clearTimeout(timer)
    const attempt = attempts[begun]
    if (settled || attempt === undefined) return
    begun += 1
    open += 1
    timer = setTimeout(beginNext, pauseMs)
    attempt().then(succeed, fail)
  }

  function succeed(value: T): void {
    settled = true
    clearTimeout(timer)
    resolve(value)
  }

  function fail(error: unknown): void {
    open -= 1
    if (settled) return
    if (open === 0 && begun === attempts.length) {
      clearTimeout(timer)
      reject(error)
    } else beginNext()
  }

  if (attempts.length === 0) reject(new Error('nothing to attempt'))
  else beginNext()
  return await promise
}
