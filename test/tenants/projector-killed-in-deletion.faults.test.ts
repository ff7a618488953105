import { createWorld, eventually, startServiceProcess, type ServiceProcess, type World } from '@ariftly/testkit'
import { afterAll, beforeAll, expect, test } from '@jest/globals'

const EVENTS = 20_000

let world: World
let api: ServiceProcess
const projectors: ServiceProcess[] = []

beforeAll(async () => {
  world = await createWorld({ partitions: 1 })
  api = await startServiceProcess('api', world.env)
}, 60_000)
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
  const first = await startProjector()
  const left = await eventually(
    async () => {
      const events = await eventsOf('gone')
      return events < EVENTS ? events : undefined
    },
    { timeoutMs: 60_000, everyMs: 5 },
  )
  first.kill('SIGKILL')
  await first.exited
  const progress = (await (await call('GET')).json()) as { state: string; deleted_count: number }
  // What was deleted is what was counted, to the last slice.
  expect(progress).toMatchObject({ state: 'deleting', deleted_count: EVENTS - (await eventsOf('gone')) })
  expect(progress.deleted_count).toBeGreaterThanOrEqual(EVENTS - (left ?? 0))
  await startProjector()
  await eventually(async () => (await call('GET')).status === 404, { timeoutMs: 90_000, everyMs: 100 })
  expect([await eventsOf('gone'), await eventsOf('stays')]).toEqual([0, 100])
}, 180_000)
