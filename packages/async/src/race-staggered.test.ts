import { expect, test } from '@jest/globals'
import { sleep } from './backoff.ts'
import { raceStaggered } from './race-staggered.ts'

const STAGGER_MS = 1

const hang = (): Promise<string> => new Promise(() => {})
const fails = (message: string) => async (): Promise<string> => {
  await Promise.resolve()
  throw new Error(message)
}

test('an attempt that hangs does not hold up the next', async () => {
  expect(await raceStaggered([hang, hang, async () => 'third'], 5)).toBe('third')
})

test('a failure starts the next attempt immediately', async () => {
  expect(await raceStaggered([fails('no'), async () => 'second'], 60_000)).toBe('second')
})

test('rejects with the last error when all fail, also without any attempt', async () => {
  await expect(raceStaggered([fails('first'), fails('last')], 1)).rejects.toThrow('last')
  await expect(raceStaggered([], 1)).rejects.toThrow('nothing to attempt')
})

test('does not begin further attempts after a success', async () => {
  let begun = 0
  const attempt = async (): Promise<number> => {
    begun += 1
    return begun
  }
  expect(await raceStaggered([attempt, attempt], STAGGER_MS)).toBe(1)
  await sleep(10 * STAGGER_MS)
  expect(begun).toBe(1)
})
