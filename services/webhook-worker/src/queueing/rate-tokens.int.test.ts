import { typeIdToUuid } from '@ariftly/events'
import { createTestDatabase, insertSampleWebhook } from '@ariftly/testkit'
import { expect, test } from '@jest/globals'
import { withTransaction } from '@ariftly/store'
import { lockEndpoints } from './lock-endpoints.ts'
import { spendTokens } from './rate-tokens.ts'

test('a rate-limited endpoint has tokens again at once when the clock of Postgres was set back', async () => {
  const database = await createTestDatabase()
  try {
    const pool = database.openPool()
    const webhookId = await insertSampleWebhook(pool, { rateLimit: 1 })
    const id = typeIdToUuid('whk', webhookId)
    await pool.query(
      `UPDATE webhook_endpoints SET rate_tokens = 0, rate_refilled_at = now() + interval '1 h' WHERE webhook_id = $1`,
      [id],
    )
    const tokens = await withTransaction(pool, async (tx) => {
      const locked = await lockEndpoints(tx, { webhookIds: [webhookId] })
      expect((await spendTokens(tx, locked, [{ webhookId }])).get(webhookId)).toBeGreaterThan(0)
      return locked[0]?.tokens
    })
    expect(tokens).toBe(1)
    // From then on it fills by the new clock.
    const { rows } = await pool.query<{ tokens: number; ahead: boolean }>(
      `SELECT rate_tokens AS tokens, rate_refilled_at > clock_timestamp() AS ahead FROM webhook_endpoints WHERE webhook_id = $1`,
      [id],
    )
    expect(rows).toEqual([{ tokens: 0, ahead: false }])
  } finally {
    await database.drop()
  }
})
