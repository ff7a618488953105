import { afterAll, expect, test } from '@jest/globals'
import { newTypeId, typeIdToUuid } from '@ariftly/events'
import { createTestDatabase, insertSampleWebhook } from '@ariftly/testkit'
import { deleteExpiredSuccessAnswers } from './keep-success-answers.ts'
import { SuccessAnswers } from './success-answers.ts'
import { BODY_BYTES, outcomeOf } from './test-outcome.ts'

const MIB = 1024 * 1024
const BYTES_MAX = 32 * MIB
/** More than one statement writes. */
const FEW = 20
/** Their last five answers have a fifth more than may wait. */
const MANY = Math.ceil((BYTES_MAX * 1.2) / (5 * BODY_BYTES))

const database = await createTestDatabase()
const pool = database.openPool()

afterAll(() => database.drop())

async function makeWebhooks(count: number): Promise<readonly string[]> {
  const ids: string[] = []
  while (ids.length < count) ids.push(await insertSampleWebhook(pool))
  return ids
}

/** Answers of so many deliveries of each webhook, all written; how many are kept then. */
async function keep(webhookIds: readonly string[], deliveries: number): Promise<number> {
  const answers = new SuccessAnswers({ db: pool, log: { warn: fail } })
  for (let number = 0; number < deliveries; number += 1) {
    for (const webhookId of webhookIds) {
      const kept = answers.takeFrom(outcomeOf('delivered', { webhookId, deliveryId: newTypeId('dlv') }))
      expect(kept).toMatchObject({ type: 'delivered', record: { responseBody: null } })
    }
  }
  await pool.query('DELETE FROM success_answers')
  await answers.run(AbortSignal.timeout(0))
  const { rows } = await pool.query<{ n: number }>('SELECT count(*)::int AS n FROM success_answers')
  return rows[0]?.n ?? 0
}

function fail(...said: unknown[]): never {
  throw new Error(`Answers could not be kept: ${JSON.stringify(said)}`)
}

test('the last five answers of each webhook are stored, in several statements when they are large', async () => {
  const webhookIds = await makeWebhooks(FEW)
  expect(await keep(webhookIds, 7)).toBe(5 * FEW)
})

test('bounds the answers that wait, for any number of webhooks', async () => {
  const webhookIds = await makeWebhooks(MANY)
  const kept = await keep(webhookIds, 5)
  expect(kept * BODY_BYTES).toBeLessThan(BYTES_MAX)
  expect(kept * BODY_BYTES).toBeGreaterThan(0.9 * BYTES_MAX)
})

test('answers are removed after 35 days of the log, not of a clock that is ahead', async () => {
  const [webhookId] = (await makeWebhooks(1)).map((id) => typeIdToUuid('whk', id))
  const owner = database.openPool({ owner: true })
  await owner.query(`INSERT INTO log_epochs (epoch, topic, cluster_id, topic_id) VALUES (7, 't', 'c', 'i')`)
  await owner.query(
    `INSERT INTO projection_offsets (projection, epoch, topic, partition, next_offset) VALUES ('events', 7, 't', 0, 0)`,
  )
  const append = (daysAgo: number, offset: number) =>
    owner.query(`INSERT INTO log_times VALUES (7, 0, $2, now() - $1 * interval '1 day')`, [daysAgo, offset])
  await owner.query(
    `INSERT INTO success_answers (webhook_id, delivery_id, attempt, kept_at) VALUES ($1, $1, 1, now() - interval '501 days')`,
    [webhookId],
  )
  await append(500, 0)
  expect(await deleteExpiredSuccessAnswers(pool)).toBe(0)
  await append(0, 1)
  expect(await deleteExpiredSuccessAnswers(pool)).toBe(1)
})
