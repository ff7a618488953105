import { setImmediate } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { eventually } from '@ariftly/testkit'
import { WebhookSetLoop } from './webhook-set-loop.ts'

async function turn(): Promise<void> {
  await setImmediate()
  await setImmediate()
}

test('several calls in one tick of the event loop are one, and a call while a set is served makes it take sets again', async () => {
  const waiting = [1, 2]
  const served: number[] = []
  const ends: Array<() => void> = []
  let takes = 0
  const loop = new WebhookSetLoop<number>({
    canServe: () => true,
    take() {
      takes += 1
      return waiting.shift()
    },
    serve: (set) =>
      new Promise((resolve) => {
        served.push(set)
        ends.push(() => resolve(0))
      }),
  })
  loop.run()
  loop.run()
  expect(takes).toBe(0)
  await turn()
  expect(served).toEqual([1])
  ends[0]?.()
  await turn()
  expect({ served, takes }).toEqual({ served: [1, 2], takes: 2 })
  loop.run()
  ends[1]?.()
  await turn()
  // One that ended the first round, and one for what has asked meanwhile.
  expect(takes).toBe(4)
  await loop.close()
})

test('a set that cannot be served now is followed by a pause, and no set is taken while none may be served', async () => {
  let takes = 0
  let canServe = true
  const startedMs = performance.now()
  const served: number[] = []
  const loop = new WebhookSetLoop<number>({
    canServe: () => canServe,
    take: () => (takes < 4 ? ++takes : undefined),
    async serve(set) {
      await Promise.resolve()
      served.push(performance.now() - startedMs)
      if (set === 3) canServe = false
      return undefined
    },
  })
  loop.run()
  await eventually('3 takes', () => takes === 3)
  await loop.close()
  expect(takes).toBe(3)
  // 50 to 100 ms, then 100 to 200 ms.
  expect((served[1] ?? 0) - (served[0] ?? 0)).toBeGreaterThanOrEqual(49)
  expect((served[2] ?? 0) - (served[1] ?? 0)).toBeGreaterThanOrEqual(99)
})
