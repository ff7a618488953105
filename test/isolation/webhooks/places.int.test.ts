import { EventEmitter, once } from 'node:events'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { startReceiver, type Receiver } from '@ariftly/testkit'
import { createWorkerWorld, type WorkerWorld } from '../../webhooks/worker-world.ts'

const PLACES = 20
/** What two tenants have of them at least, when both want more: two fifths each. */
const HELD = 16
const SLOW_EVENTS = 60

describe('concurrency of a worker', () => {
  let fixture: WorkerWorld
  let slow: Receiver
  let quick: Receiver

  beforeAll(async () => {
    fixture = await createWorkerWorld({
      WEBHOOK_CONCURRENCY: String(PLACES),
      WEBHOOK_TIMEOUT_MS: '60000',
      WEBHOOK_PER_ENDPOINT: '100',
      WEBHOOK_PER_TENANT: '1000',
    })
    await fixture.startWorker()
  })
  afterAll(() => fixture?.close())
  beforeEach(async () => {
    slow = await startReceiver()
    quick = await startReceiver()
  })
  afterEach(async () => {
    await slow.close()
    await quick.close()
  })

  test('two tenants whose receivers do not answer leave slots for a third, and none for their own other webhooks', async () => {
    const held = new EventEmitter()
    const released = once(held, 'released')
    slow.respondWith(async () => {
      await released
      return {}
    })
    for (const tenant of ['slow-1', 'slow-2']) {
      for (let number = 0; number < 5; number += 1) await fixture.subscribe({ tenant, url: slow.url })
      await fixture.post(tenant, SLOW_EVENTS)
    }
    await slow.received(HELD)
    const own = await fixture.subscribe({ tenant: 'slow-1', url: quick.url })
    await fixture.post('slow-1', 1)
    await fixture.reaches(own, { pending: 1 })
    const other = await fixture.subscribe({ tenant: 'other', url: quick.url })
    await fixture.post('other', 20)
    await fixture.reaches(other, { delivered: 20 })
    expect(slow.requests.length).toBeLessThan(PLACES)
    // Its tenant's share is used up: without shares the third one would wait like this.
    expect(await fixture.states(own)).toEqual({ pending: 1 })
    held.emit('released')
    await fixture.reaches(own, { delivered: 1 })
  })
})
