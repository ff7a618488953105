import { afterAll, beforeEach, describe, expect, test } from '@jest/globals'
import { newEventId, newTypeId, typeIdToUuid } from '@ariftly/events'
import { createTestDatabase, insertSampleWebhook } from '@ariftly/testkit'
import { redeliver } from '../deliveries/deliveries.ts'
import { withTransaction } from '../with-transaction.ts'
import { deleteWebhook, getWebhookToSend, rotateWebhookSecret } from './webhooks.ts'

const tenant = 'mine'
const database = await createTestDatabase()
const pool = database.openPool({ max: 8 })
const admin = database.openPool({ owner: true })
let id: string

beforeEach(async () => {
  id = await insertSampleWebhook(pool, { tenant, secret: Buffer.from('first') })
})
afterAll(() => database.drop())

async function secrets(): Promise<[string | undefined, string | undefined]> {
  const row = await getWebhookToSend(pool, { tenant, id })
  return [row?.secret.toString(), row?.previousSecret?.toString()]
}

describe("a webhook's secret", () => {
  test('is rotated once at a time: of twenty at the same moment one', async () => {
    const outcomes = await Promise.all(Array.from({ length: 20 }, (_, index) => rotate(`new-${index}`, 60_000)))
    expect(outcomes.filter((outcome) => typeof outcome === 'object')).toHaveLength(1)
    expect(outcomes.filter((outcome) => outcome === 'under_way')).toHaveLength(19)
    expect(await secrets()).toEqual([expect.stringMatching(/^new-/), 'first'])
  })

  test('is the only one without an overlap and after it, and another tenant cannot change it', async () => {
    expect(await rotate('second', 0, 'other')).toBe('not_found')
    expect(await rotate('second', 0)).toMatchObject({ id })
    expect(await secrets()).toEqual(['second', undefined])
    expect(await rotate('third', 3_600_000)).toMatchObject({ id })
    await admin.query('UPDATE webhooks SET previous_secret_until = now() WHERE id = $1', [typeIdToUuid('whk', id)])
    expect(await secrets()).toEqual(['third', undefined])
    expect(await rotate('fourth', 3_600_000)).toMatchObject({ id })
    expect(await secrets()).toEqual(['fourth', 'third'])
    await deleteWebhook(pool, { tenant, id })
    expect(await rotate('fifth', 0)).toBe('not_found')
    expect(await secrets()).toEqual([undefined, undefined])
  })
})

describe('deliveries of a deleted webhook', () => {
  test('cannot be sent again, those of a live one can, once', async () => {
    const delivery = await insertDelivery('delivered')
    const send = (which: string, by = tenant) => withTransaction(pool, (tx) => redeliver(tx, { tenant: by, id: which }))
    expect(await send(delivery, 'other')).toBeUndefined()
    const both = await Promise.all([send(delivery), send(delivery)])
    expect(both).toMatchObject([{ status: 'pending' }, { status: 'pending' }])
    const { rows } = await admin.query('SELECT attempt FROM deliveries WHERE id = $1', [typeIdToUuid('dlv', delivery)])
    expect(rows).toEqual([{ attempt: 2 }])
    const other = await insertDelivery('delivered')
    await deleteWebhook(pool, { tenant, id })
    expect(await send(other)).toBe('webhook_deleted')
  })
})

function rotate(secret: string, overlapMs: number, by = tenant): ReturnType<typeof rotateWebhookSecret> {
  return rotateWebhookSecret(pool, { tenant: by, id, secret: Buffer.from(secret), overlapMs })
}

async function insertDelivery(state: 'pending' | 'delivered'): Promise<string> {
  const delivery = newTypeId('dlv')
  await pool.query(
    `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, epoch, partition, "offset", state, due_at,
                             finished_at)
     VALUES ($1, $2, $3, $4, 'task.created', 1, 0, 0, $5, CASE WHEN $5 = 'pending' THEN now() END,
             CASE WHEN $5 <> 'pending' THEN now() END)`,
    [
      typeIdToUuid('dlv', delivery),
      tenant,
      typeIdToUuid('whk', id),
      typeIdToUuid('evt', newEventId(Date.now())),
      state,
    ],
  )
  return delivery
}
