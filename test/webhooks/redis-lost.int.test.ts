import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { sleep } from '@ariftly/runtime'
import { redisCommand, startOwnRedis, startReceiver, type Receiver } from '@ariftly/testkit'
import { createWorkerWorld, type WorkerWorld } from './worker-world.ts'

/** Shorter than the longest poll interval: each of two workers polls once at most. */
const OBSERVED_MS = 9000

describe('webhooks when Redis is lost', () => {
  let stack: Awaited<ReturnType<typeof startOwnRedis>>
  let fixture: WorkerWorld
  let receiver: Receiver

  beforeAll(async () => {
    stack = await startOwnRedis()
    // None of the two is dead here, however late its heartbeat is.
    fixture = await createWorkerWorld({ REDIS_URL: stack.addresses.redis, WEBHOOK_WORKER_DEAD_MS: '60000' })
    await fixture.startWorker()
    await fixture.startWorker()
  })
  afterAll(async () => {
    await fixture.close()
    await stack.close()
  })
  beforeEach(async () => {
    receiver = await startReceiver()
  })
  afterEach(() => receiver.close())

  async function command(line: string): Promise<void> {
    await redisCommand(stack.redis.port, line)
  }

  /** What Redis answers to one inline command of its protocol. */
  async function answerTo(line: string): Promise<string> {
    const socket = connect(stack.redis.port, '127.0.0.1')
    socket.write(`${line}\r\n`)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    socket.destroy()
    return answer.toString()
  }

  /** How often workers have polled for jobs since the last CONFIG RESETSTAT. */
  async function polls(): Promise<number> {
    const stats = await answerTo('INFO commandstats')
    return [...stats.matchAll(/^cmdstat_(?:evalsha|bzpopmin):calls=(\d+)/gm)].reduce((sum, [, n]) => sum + Number(n), 0)
  }

  test('two workers without jobs ask it less than ten times a second', async () => {
    await command('CONFIG RESETSTAT')
    const startedMs = performance.now()
    await sleep(OBSERVED_MS)
    const count = await polls()
    expect(count / ((performance.now() - startedMs) / 1000)).toBeLessThan(10)
  })

  test('two workers deliver each event exactly once while nothing is lost', async () => {
    const webhook = await fixture.subscribe({ tenant: 'both', url: receiver.url })
    await fixture.post('both', 200)
    await fixture.reaches(webhook, { delivered: 200 })
    expect(receiver.requests).toHaveLength(200)
  })

  test('loses nothing when Redis is emptied again and again during deliveries', async () => {
    const webhook = await fixture.subscribe({ tenant: 'wiped', url: receiver.url })
    receiver.respondWith(() => ({ delayMs: 20 }))
    const events = await fixture.post('wiped', 300)
    for (const share of [0.1, 0.4, 0.7]) {
      await receiver.received(300 * share)
      await command('FLUSHALL')
    }
    await fixture.reaches(webhook, { delivered: 300 })
    expect(new Set(receiver.requests.map(({ headers }) => headers['webhook-id']))).toEqual(
      new Set(events.map(({ id }) => id)),
    )
  })

  test('continues without a restart when Redis was killed and is back empty, and matches meanwhile', async () => {
    const webhook = await fixture.subscribe({ tenant: 'killed', url: receiver.url })
    await command('FLUSHALL')
    await stack.redis.kill()
    await fixture.post('killed', 50)
    await fixture.reaches(webhook, { pending: 50 })
    expect(receiver.requests).toHaveLength(0)
    await stack.redis.start()
    await fixture.reaches(webhook, { delivered: 50 })
    expect(receiver.requests).toHaveLength(50)
  })

  test('refuses to start on a Redis that may evict jobs', async () => {
    await command('CONFIG SET maxmemory-policy allkeys-lru')
    try {
      await expect(fixture.startWorker()).rejects.toMatchObject({ code: 'redis_policy' })
    } finally {
      await command('CONFIG SET maxmemory-policy noeviction')
    }
  })
})
