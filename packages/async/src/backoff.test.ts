import { describe, expect, test } from '@jest/globals'
import { backoffMs, retryForever, sleep } from './backoff.ts'
import { bisect } from './bisect.ts'
import { deferred } from './deferred.ts'
import { orAborted } from './or-aborted.ts'
import { withTimeout } from './with-timeout.ts'

describe('backoffMs', () => {
  test('doubles up to the maximum, and half of it is random', () => {
    const options = { baseMs: 100, maxMs: 1000 }
    const longest = [0, 1, 2, 3, 4, 60].map((n) => backoffMs(n, { ...options, random: () => 1 }))
    expect(longest).toEqual([100, 200, 400, 800, 1000, 1000])
    expect(backoffMs(2, { ...options, random: () => 0 })).toBe(200)
  })
})

describe('retryForever', () => {
  test('retries until it works and reports each failure', async () => {
    const failures: string[] = []
    const result = await retryForever(
      async (n) => {
        await Promise.resolve()
        if (n < 3) throw new Error(`no ${n}`)
        return n
      },
      { signal: new AbortController().signal, baseMs: 1, onError: (error) => void failures.push(String(error)) },
    )
    expect(result).toBe(3)
    expect(failures).toEqual(['Error: no 0', 'Error: no 1', 'Error: no 2'])
  })

  test('an abort ends the pause immediately, as a normal end', async () => {
    const abort = new AbortController()
    const trying = retryForever(() => Promise.reject(new Error('no')), {
      signal: abort.signal,
      baseMs: 60_000,
      maxMs: 60_000,
      onError: () => setImmediate(() => abort.abort()),
    })
    expect(await trying).toBeUndefined()
  })

  test('gives up when onError throws', async () => {
    const trying = retryForever(() => Promise.reject(new Error('fatal')), {
      signal: new AbortController().signal,
      onError: giveUp,
    })
    await expect(trying).rejects.toThrow('fatal')
  })
})

function giveUp(error: unknown): void {
  throw error
}

test('sleep ends early when its signal is aborted, also before it began', async () => {
  const startedMs = performance.now()
  await sleep(60_000, AbortSignal.abort())
  await sleep(60_000, AbortSignal.timeout(10))
  expect(performance.now() - startedMs).toBeLessThan(5000)
})

test('withTimeout rejects with the given error when the work takes longer', async () => {
  await expect(withTimeout(new Promise(() => {}), 5, () => new Error('late'))).rejects.toThrow('late')
  await expect(withTimeout(Promise.resolve('done'), 1000, () => new Error('late'))).resolves.toBe('done')
})

test('withTimeout names the time when no error is given', async () => {
  await expect(withTimeout(new Promise(() => {}), 5)).rejects.toThrow('no answer within 5 ms')
})

test('bisect finds exactly the refused items, and takes all others once, in order', async () => {
  const taken: number[] = []
  const refused: number[] = []
  await bisect([1, 2, 3, 4, 5, 6, 7, 8], {
    async attempt(items) {
      await Promise.resolve()
      if (items.some((item) => item === 3 || item === 8)) return false
      taken.push(...items)
      return true
    },
    onRefused: (item) => void refused.push(item),
  })
  expect(taken).toEqual([1, 2, 4, 5, 6, 7])
  expect(refused).toEqual([3, 8])
})

test('a deferred promise settles once', async () => {
  const first = deferred<number>()
  first.resolve(1)
  first.reject(new Error('late'))
  expect(await first.promise).toBe(1)
})

test('orAborted settles as its promise, or at the abort, also before it began', async () => {
  const { signal } = new AbortController()
  expect(await orAborted(Promise.resolve(1), signal)).toBe(1)
  await expect(orAborted(Promise.reject(new Error('no')), signal)).rejects.toThrow('no')
  const late = deferred<number>()
  expect(await orAborted(late.promise, AbortSignal.abort())).toBeUndefined()
  expect(await orAborted(late.promise, AbortSignal.timeout(5))).toBeUndefined()
  late.reject(new Error('late'))
})
