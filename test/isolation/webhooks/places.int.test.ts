import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { startReceiver, type Receiver } from '@ariftly/testkit'
import { createWorkerWorld, soon, type WorkerWorld } from '../../webhooks/worker-world.ts'

const SLOW_EVENTS = 60
const SLOW_MS = 700

describe('places of a worker', () => {
  let fixture: WorkerWorld
  let slow: Receiver
  let quick: Receiver

  beforeAll(async () => {
    fixture = await createWorkerWorld({
      WEBHOOK_CONCURRENCY: '12',
      WEBHOOK_SUSPECT_CONCURRENCY: '6',
      WEBHOOK_TIMEOUT_MS: '5000',
      WEBHOOK_PER_ENDPOINT: '100',
      WEBHOOK_PER_TENANT: '1000',
    })
    await fixture.startWorker()
  }, 60_000)
  afterAll(() => fixture?.close(), 30_000)
  beforeEach(async () => {
    slow = await startReceiver()
    slow.respondWith(() => ({ delayMs: SLOW_MS }))
    quick = await startReceiver()
  })
  afterEach(async () => {
    await slow.close()
    await quick.close()
  })

  test('two tenants with slow receivers and hundreds of deliveries leave places for a third', async () => {
    const loud: string[] = []
    for (const tenant of ['slow-1', 'slow-2']) {
      for (let number = 0; number < 5; number += 1) loud.push(await fixture.subscribe({ tenant, url: slow.url }))
      await fixture.post(tenant, SLOW_EVENTS)
    }
    await soon(() => slow.requests.length >= 6)
    const webhook = await fixture.subscribe({ tenant: 'quick', url: quick.url })
    await fixture.post('quick', 20)
    await soon(async () => (await fixture.states(webhook))['delivered'] === 20)
    // In the order of a queue the third would have come after all that was queued before it.
    let delivered = 0
    for (const id of loud) delivered += (await fixture.states(id))['delivered'] ?? 0
    expect(delivered).toBeLessThan((loud.length * SLOW_EVENTS) / 2)
  }, 60_000)
})
