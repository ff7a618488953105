import { newTypeId, typeIdToUuid } from '@ariftly/events'
import { createTestDatabase, insertSampleWebhook } from '@ariftly/testkit'
import { afterAll, expect, test } from '@jest/globals'
import { recordOutcomes } from './record-outcomes.ts'
import { deliveredOutcome, FAILING } from './test-outcome.ts'

const database = await createTestDatabase()
const pool = database.openPool()

afterAll(() => database.drop())

test('any answer and any error text of an attempt is kept as it was; half a character is replaced', async () => {
  const webhookId = await insertSampleWebhook(pool, { tenant: 'mine' })
  const deliveryId = newTypeId('dlv')
  await pool.query(
    `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, epoch, partition, "offset", state, lease_until)
     VALUES ($1, 'mine', $2, $1, 'task.created', 1, 0, 0, 'queued', now() + interval '1 min')`,
    [typeIdToUuid('dlv', deliveryId), typeIdToUuid('whk', webhookId)],
  )
  const outcome = deliveredOutcome({ deliveryId, attempt: 1, tenant: 'mine', webhookId })
  if (outcome.type !== 'delivered') throw new Error('no attempt')
  const responseBody = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
  const responseHeaders = JSON.stringify({ 'x-a': '"\\\u0000 \u00ff {}', 'x-b': '\ud800' })
  const errorDetail = `"quoted" \\ {a,b} NULL \u{1f600} ${'\u{1f600}'.slice(0, 1)}`
  const record = { ...outcome.record, status: 500, errorClass: 'http_5xx', errorDetail, responseHeaders, responseBody }
  const outcomes = [{ ...outcome, type: 'failed' as const, record }]
  expect(await recordOutcomes(pool, { outcomes, failing: FAILING })).toMatchObject({ applied: 1 })
  const { rows } = await pool.query(
    'SELECT error_detail, response_headers::text AS headers, response_body AS body, total_ms FROM attempts WHERE delivery_id = $1',
    [typeIdToUuid('dlv', deliveryId)],
  )
  const replaced = `${errorDetail.slice(0, -1)}\ufffd`
  expect(rows).toEqual([{ error_detail: replaced, headers: responseHeaders, body: responseBody, total_ms: 4 }])
})
