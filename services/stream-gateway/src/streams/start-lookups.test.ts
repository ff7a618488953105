import { expect, test } from '@jest/globals'
import { deferred, sleep } from '@ariftly/async'
import { StartLookups } from './start-lookups.ts'

const log = { warn() {} }

test('thousands of streams whose start cannot be read make few queries, and all start once it can', async () => {
  const pauseMs = 20
  const lookups = new StartLookups({ log, pauseMs })
  let isDown = true
  let attempts = 0
  async function ask(): Promise<number> {
    attempts += 1
    if (isDown) throw new Error('away')
    return attempts
  }
  const all = Promise.all(Array.from({ length: 5000 }, () => lookups.find('acme', () => true, ask)))
  await sleep(25 * pauseMs)
  expect(attempts).toBeGreaterThan(4)
  expect(attempts).toBeLessThan(500)
  isDown = false
  expect((await all).every((found) => found !== undefined)).toBe(true)
})

test('a tenant with thousands of streams to begin leaves a place for the first of another', async () => {
  const lookups = new StartLookups({ log })
  const slow = deferred<number>()
  for (let n = 0; n < 1000; n += 1)
    void lookups.find(
      'rude',
      () => true,
      () => slow.promise,
    )
  expect(
    await lookups.find(
      'calm',
      () => true,
      () => Promise.resolve(1),
    ),
  ).toBe(1)
  slow.resolve(2)
})

test('no query is made for a client that has disconnected', async () => {
  const lookups = new StartLookups({ log })
  const asked: string[] = []
  expect(
    await lookups.find(
      'acme',
      () => false,
      async () => asked.push('gone'),
    ),
  ).toBeUndefined()
  expect(asked).toEqual([])
})
