import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startReceiver, type Receiver } from '@ariftly/testkit'
import { createWorkerWorld, type WorkerWorld } from './worker-world.ts'

/** What a busy machine may add between the moment at which an attempt is allowed and its request. */
const LATE_MS = 1_000

describe('rate limits of webhooks', () => {
  let fixture: WorkerWorld
  let receiver: Receiver

  beforeAll(async () => {
    ;[fixture, receiver] = await Promise.all([createWorkerWorld(), startReceiver()])
    await Promise.all([fixture.startWorker(), fixture.startWorker()])
  })
  afterAll(async () => {
    await Promise.all([fixture?.close(), receiver?.close()])
  })

  test.each([
    { rateLimit: 1, ordering: 'task', events: 5 },
    { rateLimit: 8, ordering: 'none', events: 30 },
    { rateLimit: 40, ordering: 'task', events: 120 },
  ] as const)(
    'two workers send to a webhook with a limit of $rateLimit a second no more than that, and no less while they have more ($ordering)',
    async ({ rateLimit, ordering, events }) => {
      const tenant = `limited-${rateLimit}`
      const webhook = await fixture.subscribe({ tenant, url: receiver.url, rateLimit, ordering })
      await fixture.post(tenant, events)
      await fixture.reaches(webhook, { delivered: events })
      const burst = Math.max(1, rateLimit / 4)
      const leastMs = ((events - burst) / rateLimit) * 1000
      const sentMs = receiver.requests
        .filter(({ headers }) => headers['x-ariftly-webhook-id'] === webhook)
        .map(({ atMs }) => atMs)
      expect(sentMs).toHaveLength(events)
      const tookMs = (sentMs.at(-1) ?? 0) - (sentMs[0] ?? 0)
      expect(tookMs).toBeGreaterThan(leastMs - LATE_MS)
      expect(tookMs).toBeLessThan(3 * leastMs + 2_000)
      for (const [index, fromMs] of sentMs.entries()) {
        const within = sentMs.slice(index).filter((atMs) => atMs < fromMs + 3_000 - LATE_MS)
        expect(within.length).toBeLessThanOrEqual(3 * rateLimit + burst)
      }
    },
  )
})
