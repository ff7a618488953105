import { statSync } from 'node:fs'
import { join } from 'node:path'
import { describeLog } from '@ariftly/kafka'
import { ApiError } from '@ariftly/sdk'
import {
  callApi,
  createWorld,
  eventually,
  startCuttingProxy,
  startExtraBroker,
  startOwnStack,
  withClient,
  type CuttingProxy,
  type ExtraBroker,
  type ServiceProcess,
  type World,
} from '@ariftly/testkit'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { followStream, type FollowedStream } from '../support/follow-stream.ts'
import { runProjectionCommand } from '../projection/run-projection-command.ts'

let stack: Awaited<ReturnType<typeof startOwnStack>>
let world: World
/** Holds a copy of the log's only partition, and leads nothing. */
let follower: ExtraBroker
let proxy: CuttingProxy
let operator: string

beforeAll(async () => {
  stack = await startOwnStack()
  world = await createWorld({ addresses: stack.addresses, partitions: 1 })
  operator = await world.apiKey('default', ['platform', 'events:read'])
  // The offsets of groups are made here, on the broker that stays.
  await withClient(stack.addresses.kafka, (client) => client.withAdmin((admin) => admin.describeGroups(['any'])))
  follower = await startExtraBroker(stack)
  await addFollower()
  proxy = await startCuttingProxy({ host: '127.0.0.1', port: Number(new URL(world.database.url).port) })
}, 120_000)

afterAll(async () => {
  follower?.resume()
  proxy?.resume()
  await proxy?.close()
  await world?.close()
  await follower?.kill()
  await stack?.close()
})

async function addFollower(): Promise<void> {
  const { topic } = world.topics
  await withClient(stack.addresses.kafka, (client) =>
    client.withAdmin(async (admin) => {
      const partitionAssignment = [{ partition: 0, replicas: [1, follower.nodeId] }]
      await admin.alterPartitionReassignments({ topics: [{ topic, partitionAssignment }] })
      await eventually('both replicas are in sync', async () => {
        const [found] = (await admin.fetchTopicMetadata({ topics: [topic] })).topics
        return found?.partitions[0]?.isr.length === 2
      })
    }),
  )
}

const call = (base: ServiceProcess, key: string, method: string, path: string, body?: object) =>
  callApi({ url: base.url + path, key, method, body })

function post(ingest: ServiceProcess, key: string, message: string) {
  return call(ingest, key, 'POST', '/v1/events', { type: 'task.progress', task_id: 't', data: { message } })
}

async function deleteTenant(api: ServiceProcess, tenant: string): Promise<void> {
  expect((await call(api, operator, 'DELETE', `/v1/tenants/${tenant}`)).status).toBe(202)
  await eventually('it is gone', async () => (await call(api, operator, 'GET', `/v1/tenants/${tenant}`)).status === 404)
}

async function logEnd(): Promise<number> {
  const { partitions } = await withClient(stack.addresses.kafka, (client) => describeLog(client, world.topics.topic))
  return partitions[0]?.logEnd ?? -1
}

/** Bytes that the leader has appended, also what readers do not see yet. */
function appendedBytes(): number {
  const folder = join(stack.dataDir, 'kafka/data', `${world.topics.topic}-0`)
  return statSync(join(folder, '00000000000000000000.log')).size
}

/** All records that the log has by now are projected, and the table holds these messages, of all tenants. */
async function expectEvents(messages: readonly string[]): Promise<void> {
  const end = await logEnd()
  await eventually('the reader is at the end of the log', async () => {
    const { rows } = await world.admin.query<{ next: number }>(
      `SELECT next_offset AS next FROM projection_offsets WHERE projection = 'events'`,
    )
    return rows[0]?.next === end
  })
  const { rows } = await world.admin.query<{ message: string }>(
    `SELECT data ->> 'message' AS message FROM events ORDER BY "offset"`,
  )
  expect(rows.map(({ message }) => message)).toEqual(messages)
}

function dataOf({ events }: FollowedStream): string {
  return events.map(({ rawData }) => rawData).join('\n')
}

test('no data of a deleted tenant reappears: appended before and replicated after, or taken by processes without Postgres', async () => {
  const env = { DATABASE_URL: world.database.url.replace(/:\d+\//, `:${proxy.port}/`) }
  const [api, ingest, , cutIngest, cutGateway] = await Promise.all([
    world.startService('api'),
    world.startService('ingest', { INGEST_PRODUCE_TIMEOUT_MS: '20000' }),
    world.startService('projector'),
    world.startService('ingest', env),
    world.startService('stream-gateway', env),
  ])
  const held = await world.apiKey('held')
  const cut = await world.apiKey('cut')
  const other = await world.apiKey('other')
  for (const key of [held, cut, other]) expect((await post(cutIngest, key, 'before')).status).toBe(202)
  await expectEvents(['before', 'before', 'before'])
  const stream = await followStream(cutGateway.url, cut)

  // The leader has the record and the follower has not: it is above the end that the log shows.
  const end = await logEnd()
  const bytes = appendedBytes()
  follower.pause()
  const waiting = post(ingest, held, 'appended, not replicated')
  await eventually('the follower writes', () => appendedBytes() > bytes)
  await deleteTenant(api, 'held')
  expect(await logEnd()).toBe(end)
  follower.resume()
  expect((await waiting).status).toBe(202)
  await expectEvents(['before', 'before'])

  // An ingest and a gateway that trust the key of a deleted tenant: they cannot know.
  proxy.freeze()
  await deleteTenant(api, 'cut')
  for (const path of ['/v1/tenants/cut', '/v1/api-keys']) {
    const [method, body] =
      path === '/v1/api-keys' ? ['POST', { name: 'n', tenant: 'cut', scopes: ['events:read'] }] : ['PUT', {}]
    const refused = await call(api, operator, method, path, body)
    expect(refused).toMatchObject({ status: 409, body: { code: 'tenant_deleted' } })
  }
  expect((await post(ingest, cut, 'refused')).status).toBe(401)
  expect((await post(cutIngest, cut, 'taken, and never an event')).status).toBe(202)
  expect((await post(ingest, other, 'of another tenant')).status).toBe(202)
  await expectEvents(['before', 'of another tenant'])
  await eventually('the later event is streamed', () => dataOf(stream).includes('never an event'))
  expect(dataOf(stream)).not.toContain('another tenant')
  proxy.resume()
  await eventually('the key is refused', async () => (await post(cutIngest, cut, 'refused')).status === 401)
  await expect(stream.ended).rejects.toBeInstanceOf(ApiError)

  expect(await runProjectionCommand(world.env, 'rebuild')).toMatchObject({
    code: 0,
    output: expect.stringContaining('inserted 0'),
  })
  expect(await runProjectionCommand(world.env, 'verify')).toMatchObject({ code: 0 })
}, 180_000)
