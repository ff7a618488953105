import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { createWorld, eventually, type ServiceProcess, type World } from '@ariftly/testkit'

const SERVICES = ['ingest', 'api', 'projector', 'stream-gateway', 'webhook-worker'] as const
const login = `login_${randomBytes(4).toString('hex')}`
let world: World
let processes: readonly ServiceProcess[]
let key: string

/**
 * The services log in as a user that owns nothing and inherits nothing: it may only take the role of the services. A session that does
 * not take it is refused by its first query.
 */
beforeAll(async () => {
  world = await createWorld({ partitions: 2 })
  key = await world.apiKey('acme')
  await world.admin.query(`CREATE ROLE ${login} LOGIN NOINHERIT PASSWORD 'secret' IN ROLE ariftly_app`)
  const url = new URL(world.database.adminUrl)
  url.username = login
  url.password = 'secret'
  processes = await Promise.all(SERVICES.map((name) => world.startService(name, { DATABASE_URL: url.href })))
})

afterAll(async () => {
  await world?.admin.query(`DROP ROLE IF EXISTS ${login}`)
  await world?.close()
})

function call(service: (typeof SERVICES)[number], path: string, init: RequestInit = {}): Promise<Response> {
  const url = processes[SERVICES.indexOf(service)]?.url ?? ''
  return fetch(`${url}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
  })
}

test('every session of every service takes the role of the services', async () => {
  const body = '{"type":"task.progress","task_id":"t","data":{"message":"m"}}'
  expect((await call('ingest', '/v1/events', { method: 'POST', body })).status).toBe(202)
  await eventually('the event is listed', async () => {
    const listed = (await (await call('api', '/v1/events')).json()) as { data: readonly object[] }
    return listed.data.length === 1
  })
  expect((await call('stream-gateway', '/v1/stream-tokens', { method: 'POST', body: '{}' })).status).toBe(201)
  const { rows } = await world.admin.query<{ name: string }>(
    `SELECT DISTINCT split_part(application_name, ' ', 1) AS name FROM pg_stat_activity WHERE usename = '${login}'`,
  )
  const names = rows.map(({ name }) => name).join(' ')
  for (const service of ['ingest', 'api', 'projector', 'stream-gateway', 'webhook']) expect(names).toContain(service)
  for (const service of processes) expect(service.output()).not.toContain('permission denied')
})
