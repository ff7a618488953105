import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { DEADLINES, eventually, startReceiver, type Receiver } from '@ariftly/testkit'
import { startRedisServer, type RedisServer } from './redis-server.ts'
import { createWorkerWorld, type WorkerWorld } from './worker-world.ts'

const NAME = 'webhooks'
const SENTINELS = 3
const QUORUM = 2

let folder: string
const servers: RedisServer[] = []
let primary: RedisServer
let sentinels: readonly RedisServer[]
let fixture: WorkerWorld
let receiver: Receiver

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ariftly-sentinel-'))
  primary = await startServer([])
  await startServer([`replicaof 127.0.0.1 ${primary.port}`])
  sentinels = await Promise.all(Array.from({ length: SENTINELS }, () => startSentinel(primary.port)))
  await eventually('all sentinels are known', async () => (await Promise.all(sentinels.map(knowsAll))).every(Boolean))
  receiver = await startReceiver()
  fixture = await createWorkerWorld({
    REDIS_MODE: 'sentinel',
    REDIS_URL: 'redis://unused',
    REDIS_NODES: sentinels.map(({ port }) => `127.0.0.1:${port}`).join(','),
    REDIS_SENTINEL_NAME: NAME,
  })
}, 240_000)
afterAll(async () => {
  await fixture?.close()
  await receiver?.close()
  await Promise.all(servers.map((server) => server.kill()))
  rmSync(folder, { recursive: true, force: true })
})

test('webhooks continue with the replica that Sentinels promote when the Redis dies, and none is lost', async () => {
  const worker = await fixture.startWorker()
  const webhook = await fixture.subscribe({ tenant: 'sentinel', url: receiver.url })
  await fixture.post('sentinel', 30)
  await fixture.reaches(webhook, { delivered: 30 })

  receiver.respondWith(() => ({ delayMs: 100 }))
  await fixture.post('sentinel', 60)
  await receiver.received(41)
  await primary.kill()
  await fixture.post('sentinel', 30)
  await fixture.reaches(webhook, { delivered: 120 }, { timeoutMs: DEADLINES.recovery })
  expect(new Set(receiver.requests.map(({ headers }) => headers['webhook-id'])).size).toBe(120)
  // Each Sentinel sees another one's decision within seconds.
  await eventually('another Redis is primary', async () =>
    (await Promise.all(sentinels.map(primaryPort))).every((port) => port !== primary.port),
  )
  await worker.close()
}, 300_000)

async function startServer(lines: readonly string[], flags: readonly string[] = []): Promise<RedisServer> {
  const server = await startRedisServer({ folder, lines, flags })
  servers.push(server)
  return server
}

async function startSentinel(port: number): Promise<RedisServer> {
  const watched = [
    `sentinel monitor ${NAME} 127.0.0.1 ${port} ${QUORUM}`,
    `sentinel down-after-milliseconds ${NAME} 2000`,
    `sentinel failover-timeout ${NAME} 5000`,
  ]
  return await startServer(watched, ['--sentinel'])
}

/** Whether a Sentinel has found the replica and the other Sentinels. */
async function knowsAll({ client }: RedisServer): Promise<boolean> {
  const facts = (await client.call('SENTINEL', 'master', NAME)) as string[]
  const of = (name: string) => facts[facts.indexOf(name) + 1]
  return of('num-slaves') === '1' && of('num-other-sentinels') === String(SENTINELS - 1)
}

/** The port of what a Sentinel takes for the primary. */
async function primaryPort({ client }: RedisServer): Promise<number> {
  const [, port] = (await client.call('SENTINEL', 'get-master-addr-by-name', NAME)) as [host: string, port: string]
  return Number(port)
}
