import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createLogger } from '@ariftly/runtime'
import { eventually, startCuttingProxy, startOwnRedis, type CuttingProxy } from '@ariftly/testkit'
import { Redis } from 'ioredis'
import { openJobQueue } from './job-queue.ts'
import { connectFailFast, connectPatient } from './redis.ts'

const log = createLogger({ service: 'test', level: process.env['TEST_LOG_LEVEL'] ?? 'silent' })
/** What its settings promise, and a second for a busy machine. */
const NOTICED_MS_MAX = 9000

let stack: Awaited<ReturnType<typeof startOwnRedis>>

beforeAll(async () => {
  stack = await startOwnRedis()
})
afterAll(() => stack.close())

/** All at the same time, as each waits for seconds. */
describe('connections to Redis', () => {
  test.concurrent('that are silent are opened again, those on which a worker blocks too', async () => {
    await throughProxy(async (way, address) => {
      const done: string[] = []
      const queue = await openJobQueue({
        redis: address,
        prefix: 'silent',
        concurrency: { healthy: 20, unhealthy: 2 },
        process: async ({ deliveryId }) => void done.push(deliveryId),
        onReady() {},
        signal: new AbortController().signal,
        log,
      })
      const add = async (id: string) => queue.add('healthy', [{ deliveryId: id, attempt: 1 }])
      await add('before')
      await eventually('the first job is done', () => done.includes('before'))
      const silentMs = performance.now()
      way.freezeOpen()
      await add('lost').catch(() => {})
      await eventually('a job is taken', () => add('after').then(() => true))
      await eventually('the second job is done', () => done.includes('after') && queue.state === 'ok')
      expect(performance.now() - silentMs).toBeLessThan(NOTICED_MS_MAX)
      await queue.close()
    })
  })

  test.concurrent(
    'that were cut while an answer was due are not cut again for the silence of the one before',
    async () => {
      await throughProxy(async (way, address) => {
        const redis = connectFailFast(address, log)
        await eventually('Redis is connected', () => redis.status === 'ready')
        let closed = 0
        redis.on('close', () => (closed += 1))
        const startedMs = performance.now()
        way.freeze()
        const answer = redis.get('key').catch(() => 'failed')
        way.dropAll()
        way.resume()
        await answer
        await eventually('Redis answers', async () => (await redis.get('key').catch(() => 'failed')) === null)
        await eventually('a slow answer', async () => {
          await redis.get('key')
          return performance.now() - startedMs > 5500
        })
        expect(closed).toBe(1)
        redis.disconnect()
      })
    },
  )

  test.concurrent('are not cut while a command blocks for as long as BullMQ allows', async () => {
    await throughProxy(async (_way, address) => {
      const redis = connectPatient(address, log)
      if (!(redis instanceof Redis)) throw new Error('not one Redis')
      const blocking = redis.duplicate()
      await eventually('Redis is connected', () => blocking.status === 'ready')
      let closed = 0
      blocking.on('close', () => (closed += 1))
      expect(await blocking.bzpopmin('nothing', 10)).toBeNull()
      expect(closed).toBe(0)
      redis.disconnect()
      blocking.disconnect()
    })
  })
})

async function throughProxy(
  use: (way: CuttingProxy, address: Parameters<typeof connectFailFast>[0]) => Promise<void>,
): Promise<void> {
  const way = await startCuttingProxy({ host: '127.0.0.1', port: stack.redis.port })
  try {
    await use(way, { url: `redis://127.0.0.1:${way.port}`, mode: 'single', nodes: [], sentinelName: '' })
  } finally {
    await way.close()
  }
}
