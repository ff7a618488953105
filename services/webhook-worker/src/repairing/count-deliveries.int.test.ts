import { afterAll, beforeEach, expect, test } from '@jest/globals'
import { newTypeId, typeIdToUuid } from '@ariftly/events'
import { createTestDatabase, insertSampleWebhook } from '@ariftly/testkit'
import { countDeliveries } from './count-deliveries.ts'

const LIMITS = { perEndpointMax: 3, perTenantMax: 5 }
const [HOUR_S, SOON_S] = [3600, 60]

const database = await createTestDatabase()
const pool = database.openPool({})
const admin = database.openPool({ owner: true })

beforeEach(async () => {
  await admin.query('TRUNCATE deliveries, webhooks, tenants CASCADE')
})
afterAll(() => database.drop())

/** Returns its UUID. */
async function newWebhook(o: Parameters<typeof insertSampleWebhook>[1] = {}): Promise<string> {
  return typeIdToUuid('whk', await insertSampleWebhook(admin, { tenant: 'mine', ...o }))
}

interface Delivery {
  readonly state?: 'pending' | 'queued'
  /** Whether an attempt is under way. */
  readonly isStarted?: boolean
  /** For how long it has been due, seconds; negative: due later. */
  readonly dueS?: number
  readonly task?: string
  readonly offset?: number
}

async function deliver(webhook: string, ...deliveries: readonly Delivery[]): Promise<void> {
  for (const { state = 'pending', isStarted = false, dueS = SOON_S, task = '', offset = 0 } of deliveries) {
    await admin.query(
      `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, epoch, partition, "offset", ordering_key, state,
                               due_at, lease_until, started_attempt)
       SELECT $1, tenant_id, id, $1, 'task.created', 1, 0, $5, $4, $3,
              CASE WHEN $3 = 'pending' THEN now() - $6 * interval '1 s' END,
              CASE WHEN $3 = 'queued' THEN now() + interval '1 min' END, $7
         FROM webhooks WHERE id = $2`,
      [typeIdToUuid('dlv', newTypeId('dlv')), webhook, state, task, offset, dueS, isStarted ? 1 : 0],
    )
  }
}

async function setProbe(webhook: string, inS: number): Promise<void> {
  await admin.query(
    `UPDATE webhook_endpoints SET next_probe_at = now() + $2 * interval '1 s', probe_delay_ms = 600000 WHERE webhook_id = $1`,
    [webhook, inS],
  )
}

/** How many may be sent and are held up, and for how long the first that may be sent has been due, in minutes. */
async function counted(): Promise<{ readonly due: number; readonly held: number; readonly minutes: number }> {
  const counts = await countDeliveries(pool, LIMITS)
  if (counts === undefined) throw new Error('not counted')
  return { due: counts.due, held: counts.held, minutes: Math.floor(counts.oldestDueS / 60) }
}

test('deliveries of a suspended tenant are not due', async () => {
  await deliver(await newWebhook({ tenant: 'suspended' }), { dueS: HOUR_S })
  await admin.query(`INSERT INTO tenants (id, state) VALUES ('suspended', 'suspended')`)
  expect(await counted()).toEqual({ due: 0, held: 1, minutes: 0 })
  await admin.query(`UPDATE tenants SET state = 'active'`)
  expect(await counted()).toEqual({ due: 1, held: 0, minutes: 60 })
})

test('ordered deliveries that wait for an earlier one of their task are not due', async () => {
  const ordered = await newWebhook({ ordering: 'task' })
  await deliver(
    ordered,
    { task: 'retried', offset: 1, dueS: -SOON_S },
    { task: 'retried', offset: 2, dueS: HOUR_S },
    { task: 'retried', offset: 3, dueS: HOUR_S },
    { task: 'under way', offset: 4, state: 'queued', isStarted: true },
    { task: 'under way', offset: 5, dueS: HOUR_S },
  )
  expect(await counted()).toEqual({ due: 0, held: 3, minutes: 0 })
  await deliver(ordered, { task: 'z', offset: 6 }, { task: 'z', offset: 7, dueS: HOUR_S })
  expect(await counted()).toEqual({ due: 1, held: 4, minutes: 1 })
})

test('a failing webhook has nothing due between its probes, and then its probe', async () => {
  const failing = await newWebhook()
  await deliver(failing, { dueS: HOUR_S }, { dueS: -HOUR_S })
  await setProbe(failing, SOON_S)
  expect(await counted()).toEqual({ due: 0, held: 2, minutes: 0 })
  await setProbe(failing, -5 * SOON_S)
  expect(await counted()).toEqual({ due: 0, held: 2, minutes: 5 })
  await deliver(failing, { state: 'queued', isStarted: true })
  expect(await counted()).toEqual({ due: 0, held: 2, minutes: 0 })
})

test('a webhook at its rate limit has nothing due until it has a token', async () => {
  const limited = await newWebhook()
  await admin.query(`UPDATE webhooks SET rate_limit = 1 WHERE id = $1`, [limited])
  await deliver(limited, { dueS: HOUR_S })
  const setTokens = async (tokens: number) =>
    await admin.query(`UPDATE webhook_endpoints SET rate_tokens = $2, rate_refilled_at = now() WHERE webhook_id = $1`, [
      limited,
      tokens,
    ])
  await setTokens(-HOUR_S)
  expect(await counted()).toEqual({ due: 0, held: 1, minutes: 0 })
  await setTokens(1)
  expect(await counted()).toEqual({ due: 1, held: 0, minutes: 60 })
})

test('a webhook with as many attempts as it may have has nothing due, unless none of them is under way', async () => {
  const busy = await newWebhook()
  const queued = { state: 'queued' } as const
  await deliver(busy, { dueS: HOUR_S }, queued, queued, queued)
  expect(await counted()).toEqual({ due: 1, held: 0, minutes: 60 })
  await deliver(busy, { ...queued, isStarted: true })
  expect(await counted()).toEqual({ due: 0, held: 1, minutes: 0 })
})

test('a tenant with as many attempts as it may have has nothing due', async () => {
  const [one, other, waiting] = [await newWebhook(), await newWebhook(), await newWebhook()]
  const started = { state: 'queued', isStarted: true } as const
  await deliver(one, started, started)
  await deliver(other, started, started)
  await deliver(waiting, { dueS: HOUR_S })
  expect(await counted()).toEqual({ due: 1, held: 0, minutes: 60 })
  await deliver(other, started)
  expect(await counted()).toEqual({ due: 0, held: 1, minutes: 0 })
})

test('any number of webhooks is counted part by part, and each once', async () => {
  for (let number = 0; number < 40; number += 1) {
    const webhook = await newWebhook()
    for (let n = 0; n <= number % 3; n += 1) await deliver(webhook, { dueS: n === 1 ? -SOON_S : HOUR_S })
  }
  await deliver(await newWebhook(), { state: 'queued', isStarted: true }, { state: 'queued' })
  const counts = { due: 53, waiting: 26, held: 0, queued: 1, attempting: 1 }
  for (const runsMax of [1, 2, 100]) expect(await countDeliveries(pool, LIMITS, { runsMax })).toMatchObject(counts)
  expect(await countDeliveries(pool, LIMITS, { signal: AbortSignal.abort() })).toBeUndefined()
})
