import { randomUUID } from 'node:crypto'
import { ApiError } from '@ariftly/sdk'
import { createPool, type Pool } from '@ariftly/store'
import { byForm, createRandom, eventually, randomSeed, startReceiver, type Receiver } from '@ariftly/testkit'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { followStream } from '../support/follow-stream.ts'
import { runProjectionCommand } from '../projection/run-projection-command.ts'
import { startStandalone, type Standalone } from '../support/standalone.ts'
import { liveAndDie, type Life } from './live-and-die.ts'
import { runTenantsCommand } from './run-tenants-command.ts'

const SCOPES = ['events:write', 'events:read', 'webhooks', 'admin']
/** Rows that say of the tenant what must be remembered; its keys and webhooks have no content any more. */
const KEPT = ['api_key_changes', 'api_keys', 'audit_entries', 'webhooks']

/** Consecutive tenants in each of two sequences. */
const LIVES = byForm({ short: 3, long: 25 })
/** Tables without a column of the tenant: whose row each of theirs belongs to. */
const OWNED = [
  ['success_answers', 'webhooks', 'webhook_id'],
  ['webhook_stats', 'webhooks', 'webhook_id'],
  ['idempotency_keys', 'api_keys', 'api_key_id'],
] as const

let system: Standalone
let operator: string
let admin: Pool
let receiver: Receiver

beforeAll(async () => {
  system = await startStandalone()
  admin = createPool({ role: null, url: system.env['DATABASE_ADMIN_URL'] ?? '', applicationName: 'test', max: 1 })
  operator = await system.apiKeyOf('default', [...SCOPES, 'platform'])
  receiver = await startReceiver()
})
afterAll(async () => {
  await receiver?.close()
  await admin?.end()
  await system?.close()
})

async function call(key: string, method: string, path: string, body?: object) {
  const headers = {
    authorization: `Bearer ${key}`,
    'content-type': 'application/json',
    ...(method === 'POST' ? { 'idempotency-key': randomUUID() } : {}),
  }
  const answer = await system.request(path, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  return { status: answer.status, body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown> }
}

async function post(key: string, task: string, events: number): Promise<void> {
  const body = Array.from({ length: events }, (_, n) => ({
    type: 'task.progress',
    task_id: task,
    data: { message: `${n}` },
  }))
  expect((await call(key, 'POST', '/v1/events', body)).status).toBe(202)
}

async function listed(key: string, path: string): Promise<readonly unknown[]> {
  const { body } = await call(key, 'GET', path)
  return body['data'] as readonly unknown[]
}

/** Tables that hold rows of tenants, without the ones that are kept. */
async function tablesWith(tenants: readonly string[]): Promise<readonly string[]> {
  const { rows: tables } = await admin.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
      WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        AND a.attname = 'tenant_id' ORDER BY 1`,
  )
  const found: string[] = []
  for (const { name } of tables) {
    const { rows } = await admin.query(`SELECT FROM "${name}" WHERE tenant_id = ANY ($1) LIMIT 1`, [tenants])
    if (rows.length > 0 && !KEPT.includes(name)) found.push(name)
  }
  for (const [name, owner, id] of OWNED) {
    const { rows } = await admin.query(
      `SELECT FROM ${name} JOIN ${owner} o ON o.id = ${id} WHERE o.tenant_id = ANY ($1) LIMIT 1`,
      [tenants],
    )
    if (rows.length > 0) found.push(name)
  }
  return found
}

/** What the rows that are kept of these tenants say of them. */
async function contentOf(tenants: readonly string[]): Promise<readonly unknown[]> {
  const { rows } = await admin.query<{ content: string }>(
    `SELECT name AS content FROM api_keys WHERE tenant_id = ANY ($1)
     UNION SELECT url || coalesce(description, '') || encode(secret, 'hex') FROM webhooks WHERE tenant_id = ANY ($1)`,
    [tenants],
  )
  return rows.map(({ content }) => content)
}

test('a tenant is deleted with all its data, and its id is never given again', async () => {
  const key = await system.apiKeyOf('gone', SCOPES)
  const other = await system.apiKeyOf('stays', SCOPES)
  await call(key, 'POST', '/v1/webhooks', { url: receiver.url, events: ['*'], description: 'of the deleted tenant' })
  await post(key, 'old', 40)
  await post(other, 'old', 5)
  await receiver.received(40)
  await eventually('5 events are listed', async () => (await listed(other, '/v1/events')).length === 5)
  const stream = await followStream(system.url, key, { after: hourAgo() })
  await stream.shown(40)

  const otherOperator = await system.apiKeyOf('other-operator', ['platform'])
  for (const platformKey of [operator, otherOperator]) {
    const refused = await call(platformKey, 'DELETE', '/v1/tenants/default')
    expect(refused).toMatchObject({ status: 409, body: { code: 'own_tenant' } })
  }
  // A typing error takes no id out of use.
  expect((await call(operator, 'DELETE', '/v1/tenants/goen')).status).toBe(404)
  expect((await call(operator, 'GET', '/v1/tenants/goen')).body).toMatchObject({ state: 'active' })
  // The deletion cannot end while one of its rows is locked.
  const blocker = await admin.connect()
  await blocker.query('BEGIN')
  await blocker.query(`SELECT FROM events WHERE tenant_id = 'gone' LIMIT 1 FOR UPDATE`)
  const started = await call(operator, 'DELETE', '/v1/tenants/gone')
  expect(started).toMatchObject({ status: 202, body: { state: 'deleting', deleted_count: 0 } })
  // Refused with the reason until it is revoked.
  await eventually('the key is refused', async () => [401, 403].includes((await call(key, 'GET', '/v1/events')).status))
  expect((await call(operator, 'PUT', '/v1/tenants/gone', {})).body).toMatchObject({ code: 'tenant_deleting' })
  const newKey = { name: 'early', tenant: 'gone', scopes: ['events:read'] }
  expect((await call(operator, 'POST', '/v1/api-keys', newKey)).body).toMatchObject({ code: 'tenant_deleting' })
  await blocker.query('COMMIT')
  blocker.release()
  await eventually('the tenant is gone', async () => (await call(operator, 'GET', '/v1/tenants/gone')).status === 404)
  await expect(stream.ended).rejects.toBeInstanceOf(ApiError)
  expect((await call(operator, 'DELETE', '/v1/tenants/gone')).status).toBe(404)
  await eventually('the key is unknown', async () => (await call(key, 'GET', '/v1/events')).status === 401)
  expect(await tablesWith(['gone'])).toEqual([])
  expect(await contentOf(['gone'])).toEqual([''])

  // The log still holds its records.
  const rebuilt = await runProjectionCommand(system.env, 'rebuild')
  expect(rebuilt).toMatchObject({ code: 0, output: expect.stringContaining('inserted 0') })
  expect(await runProjectionCommand(system.env, 'verify')).toMatchObject({ code: 0 })

  expect(await call(operator, 'PUT', '/v1/tenants/gone', {})).toMatchObject({
    status: 409,
    body: { code: 'tenant_deleted' },
  })
  expect(await call(operator, 'POST', '/v1/api-keys', newKey)).toMatchObject({
    status: 409,
    body: { code: 'tenant_deleted' },
  })
  expect(await listed(operator, '/v1/tenants?state=deleted')).toMatchObject([{ id: 'gone', state: 'deleted' }])
  expect(await listed(operator, '/v1/tenants')).toEqual([])
  expect(await listed(other, '/v1/events')).toHaveLength(5)

  // After a restore to a moment before the deletion, an operator repeats the later deletions.
  const today = new Date().toISOString().slice(0, 10)
  const list = runTenantsCommand(system.env, ['deleted', today])
  expect(list).toEqual({ code: 0, output: 'gone\n' })
  expect(runTenantsCommand(system.env, ['delete', '-'], 'default\n')).toMatchObject({ code: 1 })
  const again = runTenantsCommand(system.env, ['delete', '-'], `${list.output}known-to-the-log-alone\n`)
  expect(again).toEqual({ code: 0, output: 'gone: deleted\nknown-to-the-log-alone: deleting\n' })
  await eventually('2 deleted tenants', async () => (await listed(operator, '/v1/tenants?state=deleted')).length === 2)

  const trail = (await listed(operator, '/v1/audit?tenant=gone&action=tenant.delete')) as readonly object[]
  expect(trail).toMatchObject([{ action: 'tenant.delete', target: 'gone' }])
}, 180_000)

test('tenants that are deleted at random moments of their work leave nothing, and others lose nothing', async () => {
  const random = createRandom(randomSeed('deletions'))
  const lives: Life[] = []
  const shared = { call, operator, receiver: receiver.url, random }
  // Two tenants at a time; the last one of each place stays.
  await Promise.all(
    ['a', 'b'].map(async (place) => {
      for (let n = 0; n < LIVES; n += 1) {
        lives.push(await liveAndDie({ ...shared, tenant: `fuzz-${place}-${n}`, isDeleted: n < LIVES - 1 }))
      }
    }),
  )
  const deleted = lives.filter(({ isDeleted }) => isDeleted).map(({ tenant }) => tenant)
  for (const tenant of deleted) {
    await eventually('it is gone', async () => (await call(operator, 'GET', `/v1/tenants/${tenant}`)).status === 404)
    expect((await call(operator, 'PUT', `/v1/tenants/${tenant}`, {})).body).toMatchObject({ code: 'tenant_deleted' })
  }
  for (const { tenant, accepted } of lives.filter((life) => !life.isDeleted)) {
    await eventually('the accepted events are projected', async () => (await countEvents(tenant)) >= accepted)
    expect(await countEvents(tenant)).toBe(accepted)
  }
  // All records are projected by now: the deleted tenants' were skipped.
  expect(await runProjectionCommand(system.env, 'verify')).toMatchObject({ code: 0 })
  expect(await runProjectionCommand(system.env, 'rebuild')).toMatchObject({
    code: 0,
    output: expect.stringContaining('inserted 0'),
  })
  expect(await tablesWith(deleted)).toEqual([])
  expect(await contentOf(deleted)).toEqual([''])
}, 180_000)

async function countEvents(tenant: string): Promise<number> {
  const { rows } = await admin.query<{ n: number }>('SELECT count(*)::int AS n FROM events WHERE tenant_id = $1', [
    tenant,
  ])
  return rows[0]?.n ?? -1
}

function hourAgo(): string {
  return new Date(Date.now() - 3_600_000).toISOString()
}
