import { setImmediate } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { WorkLoop } from './work-loop.ts'

test('what asks in one turn of the event loop is one ask, and what asks while the work runs makes it run again', async () => {
  const ends: Array<() => void> = []
  const loop = new WorkLoop(() => new Promise((resolve) => ends.push(resolve)))
  loop.run()
  await Promise.resolve()
  loop.run()
  await setImmediate()
  await setImmediate()
  expect(ends).toHaveLength(1)
  loop.run()
  loop.run()
  await setImmediate()
  await setImmediate()
  expect(ends).toHaveLength(1)
  ends[0]?.()
  await setImmediate()
  await setImmediate()
  expect(ends).toHaveLength(2)
  ends[1]?.()
  await loop.close()
  expect(ends).toHaveLength(2)
})
