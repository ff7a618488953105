import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { typeIdToUuid } from '@ariftly/events'
import { eventually } from '@ariftly/testkit'
import { createCutWorld } from './cut-world.ts'

const { fixture, receiver, way, env, close } = await createCutWorld({ WEBHOOK_RETRY_SCHEDULE_S: '3600' })

beforeAll(async () => {
  await fixture.startWorker(env)
})
afterAll(close)

/** Resets the connection in place of the first answer to a statement with this text, on new connections; gives how often that was. */
function cutAnswerTo(text: string): () => number {
  let cuts = 0
  way.cutAnswersTo((chunk) => cuts === 0 && chunk.includes(text) && (cuts += 1) === 1)
  way.dropAll()
  return () => cuts
}

test('attempts whose start was committed and not answered are made within seconds, each once', async () => {
  const cuts = cutAnswerTo('SET started_attempt = d.attempt,')
  const webhook = await fixture.subscribe({ tenant: 'cut', url: receiver.url })
  const events = await fixture.post('cut', 30)
  // Their lease is ten minutes.
  await fixture.reaches(webhook, { delivered: 30 })
  expect(cuts()).toBe(1)
  expect(receiver.requests.map(({ headers }) => String(headers['webhook-id'])).toSorted()).toEqual(
    events.map(({ id }) => id).toSorted(),
  )
})

test('failures whose recording was committed and not answered count once', async () => {
  const cuts = cutAnswerTo('INSERT INTO attempts')
  receiver.respondWith(() => ({ status: 500 }))
  const webhook = await fixture.subscribe({ tenant: 'fails', url: receiver.url })
  await fixture.post('fails', 5)
  const counts = async () => {
    const { rows } = await fixture.world.admin.query<Readonly<Record<string, number>>>(
      `SELECT e.consecutive_failures AS failures,
              (SELECT count(*)::int FROM attempts a WHERE a.webhook_id = e.webhook_id) AS attempts,
              (SELECT sum(attempt_count)::int FROM deliveries d WHERE d.webhook_id = e.webhook_id) AS scheduled,
              (SELECT sum(attempt_count)::int FROM webhook_stats s WHERE s.webhook_id = e.webhook_id AND step_s = 60) AS stats
         FROM webhook_endpoints e WHERE webhook_id = $1`,
      [typeIdToUuid('whk', webhook)],
    )
    return rows[0]
  }
  // Statistics are written last.
  await eventually('5 deliveries are counted', async () => ((await counts())?.['stats'] ?? 0) >= 5)
  expect([cuts(), await counts()]).toEqual([1, { failures: 5, attempts: 5, scheduled: 5, stats: 5 }])
})

test('statistics that were committed and not answered count once', async () => {
  const cuts = cutAnswerTo('INSERT INTO webhook_stats')
  const webhook = await fixture.subscribe({ tenant: 'sums', url: receiver.url })
  const attempts = async () => {
    const { rows } = await fixture.world.admin.query<{ attempts: number }>(
      `SELECT coalesce(sum(attempt_count), 0)::int AS attempts FROM webhook_stats
        WHERE webhook_id = $1 GROUP BY step_s ORDER BY step_s`,
      [typeIdToUuid('whk', webhook)],
    )
    return rows.map((row) => row.attempts)
  }
  await fixture.post('sums', 5)
  await eventually('the answer is lost', async () => cuts() === 1 && ((await attempts())[0] ?? 0) >= 1)
  // It is added after all that was counted before it.
  await fixture.post('sums', 1)
  await eventually('6 attempts', async () => ((await attempts())[0] ?? 0) >= 6)
  expect(await attempts()).toEqual([6, 6])
})
