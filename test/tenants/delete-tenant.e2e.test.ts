import { createPool, type Pool } from '@ariftly/store'
import { eventually, startReceiver, type Receiver } from '@ariftly/testkit'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { runProjectionCommand } from '../projection/run-projection-command.ts'
import { openStream } from '../support/read-stream.ts'
import { startStandalone, type Standalone } from '../support/standalone.ts'

const SCOPES = ['events:write', 'events:read', 'webhooks', 'admin']
/** Rows that say of the tenant what must be remembered; its keys and webhooks have no content any more. */
const KEPT = ['api_key_changes', 'api_keys', 'audit_entries', 'tenant_log_ends', 'webhooks']

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
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
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

/** Tables that hold rows of a tenant. */
async function tablesWith(tenant: string): Promise<readonly string[]> {
  const { rows: tables } = await admin.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
      WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        AND a.attname = 'tenant_id' ORDER BY 1`,
  )
  const found: string[] = []
  for (const { name } of tables) {
    const { rows } = await admin.query(`SELECT FROM "${name}" WHERE tenant_id = $1 LIMIT 1`, [tenant])
    if (rows.length > 0) found.push(name)
  }
  return found
}

test('a tenant is deleted with all its data, and the next owner of its id sees nothing of it', async () => {
  const key = await system.apiKeyOf('gone', SCOPES)
  const other = await system.apiKeyOf('stays', SCOPES)
  await call(key, 'POST', '/v1/webhooks', { url: receiver.url, events: ['*'], description: 'of the former owner' })
  await post(key, 'old', 40)
  await post(other, 'old', 5)
  await eventually(() => receiver.requests.length >= 40)
  await eventually(async () => (await listed(other, '/v1/events')).length === 5)
  const stream = await openStream((signal) =>
    fetch(`${system.url}/v1/events/stream?after=${hourAgo()}`, {
      headers: { authorization: `Bearer ${key}` },
      signal,
    }),
  )
  await eventually(() => stream.messages.length >= 40)
  const lastId = stream.messages.at(-1)?.id ?? ''

  expect(await call(operator, 'DELETE', '/v1/tenants/default')).toMatchObject({
    status: 409,
    body: { code: 'own_tenant' },
  })
  // The deletion cannot end while one of its rows is locked.
  const blocker = await admin.connect()
  await blocker.query('BEGIN')
  await blocker.query(`SELECT FROM events WHERE tenant_id = 'gone' LIMIT 1 FOR UPDATE`)
  const started = await call(operator, 'DELETE', '/v1/tenants/gone')
  expect(started).toMatchObject({ status: 202, body: { state: 'deleting', deleted_count: 0 } })
  // Refused with the reason while it lasts, unknown afterwards.
  await eventually(async () => [401, 403].includes((await call(key, 'GET', '/v1/events')).status))
  expect((await call(operator, 'PUT', '/v1/tenants/gone', {})).body).toMatchObject({ code: 'tenant_deleting' })
  const newKey = { name: 'early', tenant: 'gone', scopes: ['events:read'] }
  expect((await call(operator, 'POST', '/v1/api-keys', newKey)).body).toMatchObject({ code: 'tenant_deleting' })
  await blocker.query('COMMIT')
  blocker.release()
  await eventually(async () => (await call(operator, 'GET', '/v1/tenants/gone')).status === 404)
  await stream.close()
  expect((await call(operator, 'DELETE', '/v1/tenants/gone')).status).toBe(404)
  await eventually(async () => (await call(key, 'GET', '/v1/events')).status === 401)
  expect((await tablesWith('gone')).filter((table) => !KEPT.includes(table))).toEqual([])
  const { rows } = await admin.query(
    `SELECT name AS content FROM api_keys WHERE tenant_id = 'gone'
     UNION SELECT url || coalesce(description, '') || encode(secret, 'hex') FROM webhooks WHERE tenant_id = 'gone'`,
  )
  expect(rows).toEqual([{ content: '' }])

  // The log still holds the former owner's records.
  const rebuilt = await runProjectionCommand(system.env, 'rebuild')
  expect(rebuilt).toMatchObject({ code: 0, output: expect.stringContaining('inserted 0') })
  expect(await runProjectionCommand(system.env, 'verify')).toMatchObject({ code: 0 })

  expect((await call(operator, 'PUT', '/v1/tenants/gone', {})).status).toBe(201)
  const made = await call(operator, 'POST', '/v1/api-keys', { name: 'next owner', tenant: 'gone', scopes: SCOPES })
  const next = String(made.body['key'])
  for (const path of ['/v1/events', '/v1/webhooks', `/v1/deliveries?after=${hourAgo()}`]) {
    expect({ path, found: await listed(next, path) }).toEqual({ path, found: [] })
  }
  const keys = (await listed(next, '/v1/api-keys')) as readonly { name: string }[]
  expect(keys.map(({ name }) => name)).toEqual(['next owner'])
  const audited = (await listed(next, '/v1/audit')) as readonly { action: string }[]
  expect(audited.map(({ action }) => action)).toEqual(['api_key.create', 'tenant.put'])
  const before = receiver.requests.length
  await call(next, 'POST', '/v1/webhooks', { url: receiver.url, events: ['*'] })
  const streams = await Promise.all(
    [{ after: hourAgo() }, { last_event_id: lastId }, {}].map((query) =>
      openStream((signal) =>
        fetch(`${system.url}/v1/events/stream?${new URLSearchParams(query as Record<string, string>).toString()}`, {
          headers: { authorization: `Bearer ${next}` },
          signal,
        }),
      ),
    ),
  )
  await post(next, 'new', 3)
  for (const { messages } of streams) {
    await eventually(() => messages.filter(({ event }) => event === 'task.progress').length >= 3)
    expect(messages.filter(({ event }) => event === 'task.progress')).toHaveLength(3)
  }
  await eventually(() => receiver.requests.length >= before + 3)
  expect(receiver.requests.slice(before).every(({ body }) => body.toString().includes('"new"'))).toBe(true)
  await Promise.all(streams.map((open) => open.close()))
  expect(await listed(other, '/v1/events')).toHaveLength(5)
  const trail = (await listed(operator, '/v1/audit?tenant=gone&action=tenant.delete')) as readonly object[]
  expect(trail).toMatchObject([{ action: 'tenant.delete', target: 'gone' }])
}, 180_000)

function hourAgo(): string {
  return new Date(Date.now() - 3_600_000).toISOString()
}
