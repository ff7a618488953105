import { expect, test } from '@jest/globals'
import type { Validation } from '@ariftly/events'
import { ValidationQueue } from './validation-queue.ts'

/** A validation of so many slices, each of which keeps the event loop for `ms`. */
function* validationOf(slices: number, ms = 0): Validation {
  for (let slice = 1; slice < slices; slice += 1) {
    const endMs = performance.now() + ms
    while (performance.now() < endMs);
    yield
  }
  return { type: 'entries', single: true, entries: [] }
}

/** The names of validations in the order in which they end. */
async function orderOf(queue: ValidationQueue, bodies: readonly (readonly [string, string, number])[]) {
  const ended: string[] = []
  await Promise.all(
    bodies.map(async ([name, tenant, slices]) => {
      await queue.run(tenant, validationOf(slices, 2))
      ended.push(name)
    }),
  )
  return ended
}

test('a small body is validated immediately, also while large ones wait', async () => {
  const queue = new ValidationQueue()
  const large = queue.run('a', validationOf(20, 1))
  expect(large).toBeInstanceOf(Promise)
  expect(queue.run('b', validationOf(1))).toMatchObject({ type: 'entries' })
  expect(await large).toMatchObject({ type: 'entries' })
})

test('a large body is validated in several ticks of the event loop', async () => {
  const queue = new ValidationQueue()
  let ticks = 0
  let isDone = false
  const count = (): void => {
    ticks += 1
    if (!isDone) setImmediate(count)
  }
  setImmediate(count)
  await queue.run('a', validationOf(20, 3))
  isDone = true
  expect(ticks).toBeGreaterThanOrEqual(18)
})

test('bodies are validated tenant by tenant, and those of one tenant one after another', async () => {
  const queue = new ValidationQueue()
  const ended = await orderOf(queue, [
    ['a1', 'a', 12],
    ['a2', 'a', 3],
    ['b1', 'b', 4],
    ['c1', 'c', 2],
  ])
  expect(ended).toEqual(['c1', 'b1', 'a1', 'a2'])
})

function* failing(): Validation {
  yield
  throw new Error('broken')
}

test('a validation that throws rejects, and the next one continues', async () => {
  const queue = new ValidationQueue()
  const [failed, next] = await Promise.allSettled([queue.run('a', failing()), queue.run('a', validationOf(5))])
  expect(failed).toMatchObject({ status: 'rejected', reason: { message: 'broken' } })
  expect(next).toMatchObject({ status: 'fulfilled' })
})
