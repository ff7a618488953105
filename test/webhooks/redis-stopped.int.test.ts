import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { eventually, startOwnRedis, startReceiver, type Receiver } from '@ariftly/testkit'
import { createWorkerWorld, type WorkerWorld } from './worker-world.ts'

/** An answer that is due for 5 s, of a command that is sent every second, and a second for a busy machine. */
const NOTICED_MS_MAX = 7000
/** A job whose fetch was not answered is fetched again at most 6 s later; the lease of its deliveries would end in ten minutes. */
const FETCHED_AGAIN_MS_MAX = 10_000

let stack: Awaited<ReturnType<typeof startOwnRedis>>
let fixture: WorkerWorld
let receiver: Receiver

beforeAll(async () => {
  stack = await startOwnRedis()
  receiver = await startReceiver()
  fixture = await createWorkerWorld({ REDIS_URL: stack.addresses.redis })
})
afterAll(async () => {
  stack?.redis.resume()
  await fixture?.close()
  await receiver?.close()
  await stack?.close()
})

test('a Redis that answers nothing is reported within seconds, and nothing is lost or late once it answers', async () => {
  const worker = await fixture.startWorker()
  const queueState = () => worker.ready().checks['queue']
  const webhook = await fixture.subscribe({ tenant: 'stopped', url: receiver.url })
  receiver.respondWith(() => ({ delayMs: 100 }))
  const before = await fixture.post('stopped', 60)
  await receiver.received(20)

  stack.redis.pause()
  const pausedMs = performance.now()
  const meanwhile = await fixture.post('stopped', 20)
  await eventually('Redis is lost', () => queueState()?.includes('redis cannot be reached') ?? false)
  expect(performance.now() - pausedMs).toBeLessThan(NOTICED_MS_MAX)
  // Events are matched all the time.
  await eventually('80 deliveries are matched', async () => {
    const counts = Object.values(await fixture.states(webhook))
    return counts.reduce((sum, count) => sum + count, 0) === 80
  })

  stack.redis.resume()
  await fixture.reaches(webhook, { delivered: 80 }, { timeoutMs: FETCHED_AGAIN_MS_MAX })
  await eventually('the worker says that Redis is ok', () => queueState() === 'ok')
  expect(receiver.requests.map(({ headers }) => String(headers['webhook-id'])).toSorted()).toEqual(
    [...before, ...meanwhile].map(({ id }) => id).toSorted(),
  )
})
