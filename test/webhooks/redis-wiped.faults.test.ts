import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { typeIdToUuid } from '@ariftly/events'
import { byForm, eventually, type Receiver, redisCommand, startOwnStack, startReceiver } from '@ariftly/testkit'
import { createWorkerWorld, type WorkerWorld } from './worker-world.ts'

/** Pending deliveries, and as many that are scheduled. */
const EVENTS = byForm({ short: 600, long: 10_000 })
const ENDPOINTS = 6
const PATIENCE_MS = 60_000 + EVENTS * 40

describe('a Redis wiped under a worker that runs as a process', () => {
  let stack: Awaited<ReturnType<typeof startOwnStack>>
  let fixture: WorkerWorld
  let receiver: Receiver

  beforeAll(async () => {
    stack = await startOwnStack()
    const times = {
      WEBHOOK_TIMEOUT_MS: '15000',
      WEBHOOK_RETRY_SCHEDULE_S: '1,1,1,1',
    }
    fixture = await createWorkerWorld(times, stack.addresses)
  })
  afterAll(async () => {
    await fixture?.close()
    await stack?.close()
  })
  beforeEach(async () => {
    receiver = await startReceiver()
  })
  afterEach(() => receiver.close())

  test(
    'loses no delivery, pending or scheduled, is back at its rate within 60 s, and needs no restart',
    async () => {
      const worker = await fixture.startProcess()
      const webhooks = await Promise.all(
        Array.from({ length: ENDPOINTS }, () => fixture.subscribe({ tenant: 'wiped', url: receiver.url })),
      )
      // Without Redis events are matched, and nothing is sent yet.
      await stack.redis?.stop()
      await fixture.post('wiped', Math.ceil((2 * EVENTS) / ENDPOINTS))
      const total = Math.ceil((2 * EVENTS) / ENDPOINTS) * ENDPOINTS
      await eventually('all deliveries are pending', async () => (await inState(webhooks, 'pending')) === total, {
        timeoutMs: PATIENCE_MS,
      })
      await schedule(webhooks)
      receiver.respondWith(() => ({ delayMs: 5 }))
      await stack.redis?.start()

      for (const share of [0.15, 0.4]) {
        await receiver.received(share * total, { timeoutMs: PATIENCE_MS })
        await redisCommand(stack.redis?.port ?? 0, 'FLUSHALL')
      }
      const wipedAt = Date.now()
      const before = receiver.requests.length
      await eventually('all deliveries are delivered', async () => (await inState(webhooks, 'delivered')) === total, {
        timeoutMs: PATIENCE_MS,
      })

      const backAfterMs = (receiver.requests[before + 10 * ENDPOINTS]?.atMs ?? Number.POSITIVE_INFINITY) - wipedAt
      expect(backAfterMs).toBeLessThan(60_000)
      const received = receiver.requests.map(({ headers }) =>
        [headers['x-ariftly-webhook-id'], headers['webhook-id']].join(' '),
      )
      expect(new Set(received).size).toBe(total)
      expect(received.length).toBe(total) // A wipe loses jobs; it repeats nothing.
      expect(worker.output()).not.toContain('"level":60')
      worker.kill('SIGTERM')
      expect(await worker.exited).toBe(0)
    },
    2 * PATIENCE_MS,
  )

  test('delivers pending deliveries after Redis was killed and is back empty', async () => {
    await fixture.startProcess()
    const webhook = await fixture.subscribe({ tenant: 'killed', url: receiver.url })
    receiver.respondWith(() => ({ delayMs: 20 }))
    await fixture.post('killed', 200)
    await receiver.received(40)
    await redisCommand(stack.redis?.port ?? 0, 'FLUSHALL')
    await stack.redis?.kill()
    await stack.redis?.start()
    await eventually('all deliveries are delivered', async () => (await inState([webhook], 'delivered')) === 200)
    expect(new Set(receiver.requests.map(({ headers }) => headers['webhook-id'])).size).toBe(200)
  }, 150_000)

  /** Half of each webhook's deliveries have failed once and are due again some time within two seconds. */
  async function schedule(webhooks: readonly string[]): Promise<void> {
    const { rowCount } = await fixture.world.admin.query(
      `UPDATE deliveries SET attempt = 2, attempt_count = 1, due_at = now() + (2 + 2 * random()) * interval '1 s'
        WHERE webhook_id = ANY ($1::uuid[]) AND state = 'pending' AND "offset" % 2 = 0`,
      [webhooks.map((id) => typeIdToUuid('whk', id))],
    )
    expect(rowCount).toBeGreaterThan(EVENTS / 2)
  }

  async function inState(webhooks: readonly string[], state: string): Promise<number> {
    const { rows } = await fixture.world.admin.query<{ n: number }>(
      'SELECT count(*)::int AS n FROM deliveries WHERE webhook_id = ANY ($1::uuid[]) AND state = $2',
      [webhooks.map((id) => typeIdToUuid('whk', id)), state],
    )
    return rows[0]?.n ?? 0
  }
})
