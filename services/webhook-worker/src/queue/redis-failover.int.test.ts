import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { createLogger } from '@ariftly/runtime'
import {
  DEADLINES,
  eventually,
  redisCommand,
  startCuttingProxy,
  startOwnRedis,
  type CuttingProxy,
} from '@ariftly/testkit'
import { openJobQueue } from './job-queue.ts'

const log = createLogger({ service: 'test', level: process.env['TEST_LOG_LEVEL'] ?? 'silent' })

let previous: Awaited<ReturnType<typeof startOwnRedis>>
let promoted: Awaited<ReturnType<typeof startOwnRedis>>
let way: CuttingProxy

beforeAll(async () => {
  ;[previous, promoted] = await Promise.all([startOwnRedis(), startOwnRedis()])
  way = await startCuttingProxy({ host: '127.0.0.1', port: previous.redis.port })
})
afterAll(async () => {
  await way?.close()
  await previous?.close()
  await promoted?.close()
})

test('jobs are added and done after a failover that leaves the connections to the previous primary open', async () => {
  const done: string[] = []
  const queue = await openJobQueue({
    redis: { url: `redis://127.0.0.1:${way.port}`, mode: 'single', nodes: [], sentinelName: '' },
    prefix: 'failover',
    concurrency: { healthy: 20, unhealthy: 2 },
    process: async ({ deliveryId }) => void done.push(deliveryId),
    onReady() {},
    signal: new AbortController().signal,
    log,
  })
  const add = async (id: string) => queue.add('healthy', [{ deliveryId: id, attempt: 1 }])
  await add('before')
  await eventually('the first job is done', () => done.includes('before'))

  way.leadNewTo({ host: '127.0.0.1', port: promoted.redis.port })
  await redisCommand(previous.redis.port, `REPLICAOF 127.0.0.1 ${promoted.redis.port}`)
  await expect(add('refused')).rejects.toThrow('READONLY')
  await eventually('a job is taken', () => add('after').then(() => true), { timeoutMs: DEADLINES.recovery })
  await eventually('the second job is done', () => done.includes('after') && queue.state === 'ok', {
    timeoutMs: DEADLINES.recovery,
  })
  await queue.close()
})
