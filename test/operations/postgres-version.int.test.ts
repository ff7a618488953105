import { afterAll, beforeAll, expect, test } from '@jest/globals'
import {
  createWorld,
  startCuttingProxy,
  type CuttingProxy,
  type ServiceProcessName,
  type World,
} from '@ariftly/testkit'

let world: World
let proxy: CuttingProxy
let env: Readonly<Record<string, string>>

beforeAll(async () => {
  world = await createWorld({ partitions: 1 })
  const { hostname, port } = new URL(world.database.adminUrl)
  const { rows } = await world.admin.query<{ version: string }>(
    `SELECT current_setting('server_version_num') AS version`,
  )
  const version = rows[0]?.version ?? ''
  proxy = await startCuttingProxy({
    host: hostname,
    port: Number(port),
    // A real server that says that it is an older one.
    answers: (chunk) => Buffer.from(chunk.toString('latin1').replaceAll(version, `16${version.slice(2)}`), 'latin1'),
  })
  const old = (url: string): string => Object.assign(new URL(url), { port: String(proxy.port) }).href
  env = { DATABASE_URL: old(world.database.url), DATABASE_ADMIN_URL: old(world.database.adminUrl) }
})

afterAll(async () => {
  await proxy?.close()
  await world?.close()
})

const SERVICES: readonly ServiceProcessName[] = [
  'ingest',
  'projector',
  'api',
  'stream-gateway',
  'webhook-worker',
  'migrate',
]

test.each(SERVICES)('%s refuses a Postgres older than 17 at its start, with its version', async (name) => {
  const service = await world.startService(name, env, { untilReady: false })
  expect(await service.exited).toBe(78)
  expect(service.output()).toContain('The server of DATABASE_URL is PostgreSQL 16. Version 17 or newer is needed.')
})
