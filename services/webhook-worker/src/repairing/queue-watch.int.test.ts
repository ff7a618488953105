import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { newTypeId, typeIdToUuid } from '@ariftly/events'
import {
  createTestDatabase,
  eventually,
  stackAddresses,
  startCuttingProxy,
  startOwnRedis,
  type CuttingProxy,
} from '@ariftly/testkit'
import { watchQueue } from './queue-watch.ts'
import { connectFailFast, type RedisClient } from '../queueing/redis.ts'

const log = { warn() {} }

const database = await createTestDatabase()
const pool = database.openPool()
let promoted: Awaited<ReturnType<typeof startOwnRedis>>
let way: CuttingProxy
const clients: RedisClient[] = []

beforeAll(async () => {
  promoted = await startOwnRedis()
  way = await startCuttingProxy(addressOf(stackAddresses().redis))
})
afterAll(async () => {
  for (const client of clients) client.disconnect()
  await way?.close()
  await promoted?.close()
  await database.drop()
})

test('what a worker adds to the previous Redis after another worker has seen the promoted one is due again', async () => {
  const closing = new AbortController()
  const prefix = `{${randomUUID()}}`
  const [late, early] = [randomUUID(), randomUUID()]
  const watch = (url: string, workerId: string): Promise<void> =>
    watchQueue({
      redis: connect(url),
      prefix,
      pool,
      workerId,
      onReleased() {},
      signal: closing.signal,
      log,
      everyMs: 20,
    })
  const watching = [watch(`redis://127.0.0.1:${way.port}`, late)]
  await eventually('the marker is set', async () => (await marker()) !== null)
  const previous = await marker()
  watching.push(watch(promoted.addresses.redis, early))
  await eventually('the marker is set again', async () => (await marker()) !== previous)
  const ofLate = await queue(late)
  const ofEarly = await queue(early)

  way.leadTo(addressOf(promoted.addresses.redis))
  await eventually('the late delivery is pending again', async () => (await stateOf(ofLate)) === 'pending')
  expect(await stateOf(ofEarly)).toBe('queued')

  closing.abort()
  await Promise.all(watching)
})

test('what is queued is due again when a replica that has the marker takes the place of its primary', async () => {
  const closing = new AbortController()
  const prefix = `{${randomUUID()}}`
  way.leadTo(addressOf(promoted.addresses.redis))
  const before = await marker()
  const redis = connect(`redis://127.0.0.1:${way.port}`)
  const options = { redis, prefix, pool, workerId: randomUUID(), onReleased() {}, signal: closing.signal, log }
  const watching = watchQueue({ ...options, everyMs: 20 })
  await eventually('the marker is set again', async () => (await marker()) !== before)
  const known = (await marker()) ?? ''
  const queued = await queue(options.workerId)
  const replica = connect(stackAddresses().redis)
  await eventually('the replica is ready', () => replica.status === 'ready')
  await replica.set(`${prefix}:marker`, known)

  way.leadTo(addressOf(stackAddresses().redis))
  await eventually('the queued delivery is pending again', async () => (await stateOf(queued)) === 'pending')
  expect(await marker()).toBe(known)

  closing.abort()
  await watching
})

function connect(url: string): RedisClient {
  const client = connectFailFast({ url, mode: 'single', nodes: [], sentinelName: '' }, log)
  clients.push(client)
  return client
}

function addressOf(url: string): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(url)
  return { host: hostname, port: Number(port) }
}

async function marker(): Promise<string | null> {
  const { rows } = await pool.query<{ marker: string | null }>('SELECT marker FROM webhook_queue')
  return rows[0]?.marker ?? null
}

/** Makes a delivery that a worker has queued. */
async function queue(workerId: string): Promise<string> {
  const id = newTypeId('dlv')
  await pool.query(
    `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, epoch, partition, "offset", state, lease_until, worker_id)
     VALUES ($1, 'mine', $2, $1, 'task.created', 1, 0, 0, 'queued', now() + interval '10 min', $3)`,
    [typeIdToUuid('dlv', id), typeIdToUuid('whk', newTypeId('whk')), workerId],
  )
  return id
}

async function stateOf(deliveryId: string): Promise<string | undefined> {
  const { rows } = await pool.query<{ state: string }>('SELECT state FROM deliveries WHERE id = $1', [
    typeIdToUuid('dlv', deliveryId),
  ])
  return rows[0]?.state
}
