import { expect, test } from '@jest/globals'
import { deferred } from '@ariftly/async'
import { Beginnings } from './beginnings.ts'

const log = { warn() {} }

test('thousands of streams whose beginning cannot be read make few attempts, and all begin when it can', async () => {
  const beginnings = new Beginnings({ log, pauseMs: 20 })
  let isAway = true
  let attempts = 0
  async function ask(): Promise<number> {
    attempts += 1
    if (isAway) throw new Error('away')
    return attempts
  }
  const all = Promise.all(Array.from({ length: 5000 }, () => beginnings.find('acme', () => true, ask)))
  await new Promise((resolve) => setTimeout(resolve, 500))
  expect(attempts).toBeGreaterThan(4)
  expect(attempts).toBeLessThan(500)
  isAway = false
  expect((await all).every((found) => found !== undefined)).toBe(true)
})

test('a tenant with thousands of streams to begin leaves a place for the first of another', async () => {
  const beginnings = new Beginnings({ log })
  const slow = deferred<number>()
  for (let n = 0; n < 1000; n += 1)
    void beginnings.find(
      'rude',
      () => true,
      () => slow.promise,
    )
  expect(
    await beginnings.find(
      'calm',
      () => true,
      () => Promise.resolve(1),
    ),
  ).toBe(1)
  slow.resolve(2)
})

test('nothing is asked for a client that has gone', async () => {
  const beginnings = new Beginnings({ log })
  const asked: string[] = []
  expect(
    await beginnings.find(
      'acme',
      () => false,
      async () => asked.push('gone'),
    ),
  ).toBeUndefined()
  expect(asked).toEqual([])
})
