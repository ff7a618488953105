import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { newTypeId, typeIdToUuid } from '@ariftly/events'
import { readConfig } from '@ariftly/runtime'
import { countDeliveries } from './count-deliveries.ts'
import { createTestDatabase, eventually, insertSampleWebhook } from '@ariftly/testkit'
import { parseAllDocuments } from 'yaml'
import { webhookWorkerConfig } from '../config.ts'
import { startBacklogWatch } from './backlog-watch.ts'

const log = { warn() {} }
const limits = { perEndpointMax: 10, perTenantMax: 200 }
const database = await createTestDatabase()
const pools = [1, 2].map((n) => database.openPool({ applicationName: `worker-${n}`, max: 1 }))
const admin = database.openPool({ owner: true })
let ends: readonly AbortController[] = []

beforeAll(async () => {
  const open = await newWebhook()
  await deliveries(open, 5, 'pending', -600)
  await deliveries(open, 3, 'pending', 3600)
  await deliveries(open, 2, 'queued')
  await deliveries(open, 4, 'queued', 0, 1)
  await deliveries(open, 7, 'delivered')
  const second = await newWebhook()
  await deliveries(second, 4, 'pending', -60)
  const disabled = await newWebhook()
  await deliveries(disabled, 20, 'pending', -7200)
  await admin.query(`UPDATE webhooks SET enabled = false, disabled_reason = 'manual' WHERE id = $1`, [disabled])
  const failing = await newWebhook()
  await deliveries(failing, 30, 'pending', -7200)
  await admin.query(`UPDATE webhook_endpoints SET next_probe_at = now() + interval '1 min' WHERE webhook_id = $1`, [
    failing,
  ])
})
afterAll(async () => {
  for (const end of ends) end.abort()
  await database.drop()
})

/** Answers its UUID. */
async function newWebhook(tenant = 'mine'): Promise<string> {
  return typeIdToUuid('whk', await insertSampleWebhook(admin, { tenant }))
}

async function deliveries(webhook: string, count: number, state: string, dueInS = 0, started = 0): Promise<void> {
  const ids = Array.from({ length: count }, () => typeIdToUuid('dlv', newTypeId('dlv')))
  await admin.query(
    `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, epoch, partition, "offset", state, due_at,
                             lease_until, finished_at, started_attempt)
     SELECT id, 'mine', $2, id, 'task.created', 1, 0, 0, $3, CASE WHEN $3 = 'pending' THEN now() + $4 * interval '1 s' END,
            CASE WHEN $3 = 'queued' THEN now() + interval '1 min' END,
            CASE WHEN $3 = 'delivered' THEN now() END, $5
       FROM unnest($1::uuid[]) id`,
    [ids, webhook, state, dueInS, started],
  )
}

test('deliveries are counted by what they wait for: those of disabled and failing webhooks wait for no worker', async () => {
  const [pool] = pools
  const { oldestDueS = -1, ...counts } = (await countDeliveries(pool ?? admin, limits)) ?? {}
  expect(counts).toEqual({ due: 9, waiting: 3, held: 50, queued: 2, attempting: 4 })
  expect(oldestDueS).toBeGreaterThanOrEqual(600)
  expect(oldestDueS).toBeLessThan(660)
})

test('one of several workers counts, and another takes its place', async () => {
  ends = [new AbortController(), new AbortController()]
  const watches = ends.map(({ signal }, index) =>
    startBacklogWatch({ pool: pools[index] ?? admin, limits, signal, log, everyMs: 50 }),
  )
  const counting = () => watches.map(({ counts }) => counts()?.due)
  await eventually('one watch counts', () => counting().includes(9))
  const first = counting().indexOf(9)
  expect(counting()[1 - first]).toBeUndefined()
  expect(await locksHeld()).toBe(1)

  ends[first]?.abort()
  await watches[first]?.ended
  expect(counting()[first]).toBeUndefined()
  await eventually('the other watch counts', () => counting()[1 - first] === 9)
  ends[1 - first]?.abort()
  await watches[1 - first]?.ended
  await eventually('no lock is held', async () => (await locksHeld()) === 0)
})

async function locksHeld(): Promise<number | undefined> {
  const { rows } = await admin.query<{ held: number }>(
    `SELECT count(*)::int AS held FROM pg_locks
      WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  )
  return rows[0]?.held
}

describe('what Kubernetes scales workers by', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../../k8s/base/scaling.yaml'), 'utf8')
  const objects = parseAllDocuments(text).map((document) => document.toJS() as ScaledObject)
  const scaled = objects.find(({ kind, metadata }) => kind === 'ScaledObject' && metadata.name === 'webhook-worker')
  const trigger = scaled?.spec.triggers.find(({ type }) => type === 'postgresql')?.metadata ?? {}
  const { WEBHOOK_PER_ENDPOINT, WEBHOOK_PER_TENANT, WEBHOOK_CONCURRENCY } = webhookWorkerConfig
  const defaults = readConfig({ WEBHOOK_PER_ENDPOINT, WEBHOOK_PER_TENANT, WEBHOOK_CONCURRENCY }, {})
  const ofWebhook = defaults.WEBHOOK_PER_ENDPOINT
  const ofTenant = defaults.WEBHOOK_PER_TENANT

  async function measured(): Promise<number | undefined> {
    const { rows } = await (pools[0] ?? admin).query<{ count: number }>(trigger['query'] ?? '')
    return rows[0]?.count
  }

  test('is the number of deliveries that are due, of a webhook and a tenant at most what they may have in flight', async () => {
    expect(await measured()).toBe(9)
    await deliveries(await newWebhook(), 3 * ofWebhook, 'pending', -60)
    expect(await measured()).toBe(9 + ofWebhook)
    for (let count = 0; count <= ofTenant; count += ofWebhook) {
      await deliveries(await newWebhook('loud'), ofWebhook, 'pending', -60)
    }
    expect(await measured()).toBe(9 + ofWebhook + ofTenant)
    await admin.query(`INSERT INTO tenants (id, state) VALUES ('loud', 'suspended')`)
    expect(await measured()).toBe(9 + ofWebhook)
  })

  test('is divided by what one worker may have in flight', () => {
    expect(trigger['targetQueryValue']).toBe(String(defaults.WEBHOOK_CONCURRENCY))
  })
})

interface ScaledObject {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly spec: { readonly triggers: readonly { readonly type: string; readonly metadata: Record<string, string> }[] }
}
