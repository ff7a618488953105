import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { typeIdToUuid } from '@ariftly/events'
import { eventually, startReceiver, type Receiver } from '@ariftly/testkit'
import { createWorkerWorld, type WorkerWorld } from '../../webhooks/worker-world.ts'

const KIB = 1024
const MIB = 1024 * KIB
const WEBHOOKS = 10
const EVENTS = 100
/** What one worker keeps of the answers to a tenant's failures after a quiet time, and a minute's more. */
const FAILURES_BYTES_MAX = 4 * MIB + 60 * KIB

let fixture: WorkerWorld
let receiver: Receiver
const webhooks: string[] = []

beforeAll(async () => {
  ;[fixture, receiver] = await Promise.all([createWorkerWorld(), startReceiver()])
})
afterAll(async () => {
  await Promise.all([fixture?.close(), receiver?.close()])
})

test('answers of 32 KB, every second one to a failure, are stored up to a bound, and every attempt always', async () => {
  let answered = 0
  receiver.respondWith(() => ({
    status: (answered += 1) % 2 === 0 ? 500 : 200,
    headers: { 'x-noise': 'h'.repeat(14 * KIB) },
    body: 'b'.repeat(16 * KIB),
  }))
  for (let number = 0; number < WEBHOOKS; number += 1) {
    webhooks.push(await fixture.subscribe({ tenant: 'loud', url: receiver.url }))
  }
  await fixture.startWorker()
  await fixture.post('loud', EVENTS)
  await eventually('all deliveries have ended', async () => {
    for (const id of webhooks) {
      const { pending = 0, queued = 0, attempting = 0, ...ended } = await fixture.states(id)
      if (pending + queued + attempting > 0 || Object.values(ended).reduce((a, b) => a + b, 0) < EVENTS) return false
    }
    return true
  })
  const attempts = await keptIn('attempts')
  // Answers to successes are written within ten seconds.
  await eventually('5 answers a webhook are kept', async () => (await keptIn('success_answers')).rows === 5 * WEBHOOKS)
  const successes = await keptIn('success_answers')
  expect(attempts.rows).toBe(answered)
  expect(answered * 16 * KIB).toBeGreaterThan(4 * FAILURES_BYTES_MAX)
  expect(attempts.bytes).toBeLessThan(FAILURES_BYTES_MAX)
  expect(successes.bytes).toBeLessThan(5 * WEBHOOKS * 18.5 * KIB)
})

async function keptIn(table: 'attempts' | 'success_answers'): Promise<{ rows: number; bytes: number }> {
  const { rows } = await fixture.world.admin.query<{ rows: number; bytes: number }>(
    `SELECT count(*)::int AS rows,
            coalesce(sum(octet_length(response_headers::text) + octet_length(response_body)), 0)::int AS bytes
       FROM ${table} WHERE webhook_id = ANY ($1::uuid[])`,
    [webhooks.map((id) => typeIdToUuid('whk', id))],
  )
  return rows[0] ?? { rows: 0, bytes: 0 }
}
