import { describe, expect, test } from '@jest/globals'
import { backoffMs, retryForever, sleep, withTimeout } from './retry.ts'

describe('backoffMs', () => {
  test('doubles up to the maximum, and half of it is random', () => {
    const options = { baseMs: 100, maxMs: 1000 }
    const longest = [0, 1, 2, 3, 4, 60].map((n) => backoffMs(n, { ...options, random: () => 1 }))
    expect(longest).toEqual([100, 200, 400, 800, 1000, 1000])
    expect(backoffMs(2, { ...options, random: () => 0 })).toBe(200)
  })
})

describe('retryForever', () => {
  test('tries until it works and tells each failure', async () => {
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

  test('an abort ends the pause at once, as a normal end', async () => {
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
