import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { createLogger } from '@ariftly/runtime'
import {
  DEADLINES,
  eventually,
  redisCommand,
  startCuttingProxy,
  startOwnRedis,
  type CuttingProxy,
} from '@ariftly/testkit'
import { openJobQueue, type JobQueue, type JobQueueOptions } from './job-queue.ts'

const log = createLogger({ service: 'test', level: process.env['TEST_LOG_LEVEL'] ?? 'silent' })

describe('a job queue whose Redis may evict jobs, or fails over', () => {
  let redis: Awaited<ReturnType<typeof startOwnRedis>>['redis']
  let way: CuttingProxy
  let queue: JobQueue | undefined
  const stacks: { close(): Promise<void> }[] = []

  beforeAll(async () => {
    const stack = await startOwnRedis()
    stacks.push(stack)
    redis = stack.redis
  })
  beforeEach(async () => {
    way = await startCuttingProxy({ host: '127.0.0.1', port: redis.port })
  })
  afterEach(async () => {
    await queue?.close()
    await way.close()
  })
  afterAll(async () => {
    for (const stack of stacks) await stack.close()
  })

  async function open(process: JobQueueOptions['process'] = async () => {}): Promise<JobQueue> {
    queue = await openJobQueue({
      redis: { url: `redis://127.0.0.1:${way.port}`, mode: 'single', nodes: [], sentinelName: '' },
      prefix: 'test',
      concurrency: { healthy: 1, unhealthy: 1 },
      process,
      onReady() {},
      signal: new AbortController().signal,
      log,
    })
    return queue
  }

  async function setPolicy(policy: string): Promise<void> {
    await redisCommand(redis.port, `CONFIG SET maxmemory-policy ${policy}`)
  }

  test('opens once the policy is right, if Redis was unavailable when the process started', async () => {
    await way.refuse()
    await setPolicy('allkeys-lru')
    const opened = await open()
    await way.accept()
    await eventually('the queue names the wrong policy', () => opened.state.includes('allkeys-lru'))
    await setPolicy('noeviction')
    await eventually('the queue is ok', () => opened.ready && opened.state === 'ok')
  })

  test('continues once the policy is right again, without another connection', async () => {
    const opened = await open()
    expect(opened.ready).toBe(true)
    await setPolicy('allkeys-lru')
    way.dropAll()
    await eventually('the queue names the wrong policy', () => opened.state.includes('allkeys-lru'))
    let connections = 0
    opened.producer.on('ready', () => (connections += 1))
    await setPolicy('noeviction')
    await eventually('the queue is ok', () => opened.ready && opened.state === 'ok')
    expect(connections).toBe(0)
  })
  test('continues after a failover that leaves the connections to the previous primary open', async () => {
    const promoted = await startOwnRedis()
    stacks.push(promoted)
    const done: string[] = []
    const opened = await open(async ({ deliveryId }) => void done.push(deliveryId))
    const add = async (id: string) => opened.add('healthy', [{ deliveryId: id, attempt: 1 }])
    await add('first')
    await eventually('a job is done', () => done.includes('first'))

    const timeoutMs = DEADLINES.recovery
    way.leadNewTo({ host: '127.0.0.1', port: promoted.redis.port })
    await redisCommand(redis.port, `REPLICAOF 127.0.0.1 ${promoted.redis.port}`)
    await expect(add('refused')).rejects.toThrow('READONLY')
    await eventually('the new primary takes a job', () => add('second').then(() => true), { timeoutMs })
    await eventually('that job is done', () => done.includes('second') && opened.state === 'ok', { timeoutMs })
    await redisCommand(redis.port, 'REPLICAOF NO ONE')
  })
})
