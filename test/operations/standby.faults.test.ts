import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { LocalStack } from '@ariftly/local-stack'
import {
  createTemplateDatabase,
  createWorld,
  eventually,
  stackAddresses,
  startCuttingProxy,
  type CuttingProxy,
  type ServiceProcess,
  type World,
} from '@ariftly/testkit'
import { startPrimary, startStandby } from './standby.ts'

let folder: string
let primary: LocalStack
let standby: LocalStack
let world: World
let proxy: CuttingProxy
let system: ServiceProcess
let apiKey: string

const addressOf = (stack: LocalStack) => ({ host: '127.0.0.1', port: Number(new URL(stack.addresses.postgres).port) })

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ariftly-standby-'))
  primary = await startPrimary(join(folder, 'primary'))
  await createTemplateDatabase(primary.addresses.postgres)
  world = await createWorld({
    addresses: { ...stackAddresses(), postgres: primary.addresses.postgres },
    partitions: 2,
    env: { DATA_DIR: join(folder, 'standalone') },
  })
  apiKey = await world.apiKey('acme')
  standby = await startStandby(primary, join(folder, 'primary'), join(folder, 'standby'))
  proxy = await startCuttingProxy(addressOf(primary))
  const named = (url = ''): string => Object.assign(new URL(url), { port: String(proxy.port) }).href
  const { DATABASE_URL, DATABASE_ADMIN_URL } = world.env
  const env = { DATABASE_URL: named(DATABASE_URL), DATABASE_ADMIN_URL: named(DATABASE_ADMIN_URL) }
  system = await world.startService('standalone', env)
})

afterAll(async () => {
  await proxy?.close()
  await world?.close()
  await standby?.close()
  await primary?.close()
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
})

async function call(path: string, body?: object): Promise<Response> {
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
  const post = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
  return await fetch(system.url + path, { headers, ...post })
}

const postEvent = async (taskId: string): Promise<number> =>
  (await call('/v1/events', { type: 'task.created', task_id: taskId, data: {} })).status
const createWebhook = async (): Promise<number> =>
  (await call('/v1/webhooks', { url: 'http://127.0.0.1:9/', events: ['*'] })).status

const statusOfList = async (): Promise<number> => (await call('/v1/events')).status

async function listed(taskId: string): Promise<number> {
  const response = await call(`/v1/events?task_id=${taskId}`)
  if (response.status !== 200) return -1
  return ((await response.json()) as { readonly data: readonly unknown[] }).data.length
}

test("a standby with the primary's name makes reads and writes 503, posts continue, and all recovers without a restart once the name leads to the primary again", async () => {
  expect(await postEvent('before')).toBe(202)
  await eventually('the event is listed', async () => (await listed('before')) === 1)

  proxy.leadTo(addressOf(standby))
  const statuses: number[] = []
  for (let attempt = 0; attempt < 10; attempt += 1) statuses.push(await createWebhook(), await statusOfList())
  expect(new Set(statuses)).toEqual(new Set([503]))
  expect(await postEvent('meanwhile')).toBe(202)

  // Connections are not cut here: those to the standby have to be given up by their pools.
  proxy.leadNewTo(addressOf(primary))
  await eventually('webhooks can be made', async () => (await createWebhook()) === 201)
  await eventually('both events', async () => (await listed('meanwhile')) === 1 && (await listed('before')) === 1)
}, 300_000)
