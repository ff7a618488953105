import { createWorld, eventually, startServiceProcess, type ServiceProcess, type World } from '@ariftly/testkit'
import { afterAll, beforeAll, expect, test } from '@jest/globals'

const EVENTS = 8_000
/** The event at which the first projector is killed. */
const BLOCKED = 4_500

let world: World
let api: ServiceProcess
const projectors: ServiceProcess[] = []

beforeAll(async () => {
  world = await createWorld({ partitions: 1 })
  api = await startServiceProcess('api', world.env)
})
afterAll(async () => {
  for (const process of [api, ...projectors]) process?.kill()
  await Promise.all([api, ...projectors].map((process) => process?.exited))
  await world?.close()
})

async function startProjector(): Promise<ServiceProcess> {
  const projector = await startServiceProcess('projector', world.env)
  projectors.push(projector)
  return projector
}

async function insertEvents(tenant: string, events: number): Promise<void> {
  await world.admin.query(
    `INSERT INTO events (tenant_id, id, type, epoch, partition, "offset", appended_at, data)
     SELECT $1, (left(uuid_v7_floor((extract(epoch FROM now()) * 1000)::bigint)::text, 24) || lpad(n::text, 12, '0'))::uuid,
            'task.created', 1, 0, n, now(), '{}'
       FROM generate_series(1, $2::int) n`,
    [tenant, events],
  )
}

async function eventsOf(tenant: string): Promise<number> {
  const { rows } = await world.admin.query<{ count: number }>('SELECT count(*) FROM events WHERE tenant_id = $1', [
    tenant,
  ])
  return rows[0]?.count ?? -1
}

test('a deletion goes on where it was when the projector was killed in the middle of it, and the count is of all rows', async () => {
  await insertEvents('gone', EVENTS)
  await insertEvents('stays', 100)
  const operator = await world.apiKey('default', ['platform'])
  const call = (method: string) =>
    fetch(`${api.url}/v1/tenants/gone`, { method, headers: { authorization: `Bearer ${operator}` } })
  expect((await call('DELETE')).status).toBe(202)
  // A slice that comes to this event waits here, in the middle of its transaction.
  const blocker = await world.admin.connect()
  await blocker.query('BEGIN')
  await blocker.query(`SELECT FROM events WHERE tenant_id = 'gone' AND "offset" = $1 FOR UPDATE`, [BLOCKED])
  const first = await startProjector()
  const deleted = Math.floor(BLOCKED / 1000) * 1000
  await eventually(async () => (await eventsOf('gone')) === EVENTS - deleted)
  first.kill('SIGKILL')
  await first.exited
  await blocker.query('COMMIT')
  blocker.release()
  // What was deleted is what was counted; the slice that was under way has left nothing.
  const progress: unknown = await (await call('GET')).json()
  expect(progress).toMatchObject({ state: 'deleting', deleted_count: deleted })
  expect(await eventsOf('gone')).toBe(EVENTS - deleted)
  await startProjector()
  await eventually(async () => (await call('GET')).status === 404, { timeoutMs: 90_000, everyMs: 100 })
  expect([await eventsOf('gone'), await eventsOf('stays')]).toEqual([0, 100])
}, 180_000)
