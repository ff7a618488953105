import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { eventually, startReceiver, type Receiver } from '@ariftly/testkit'
import { createWorkerWorld, type WorkerWorld } from './worker-world.ts'
import { startRedisServer, type RedisServer } from './redis-server.ts'

const SLOTS = 16_384
const NODES = 3

let folder: string
let nodes: readonly RedisServer[] = []
let fixture: WorkerWorld
let receiver: Receiver

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ariftly-cluster-'))
  nodes = await Promise.all(Array.from({ length: NODES }, startNode))
  await joinNodes()
  const ports = nodes.map(({ port }) => port)
  receiver = await startReceiver()
  fixture = await createWorkerWorld({
    REDIS_MODE: 'cluster',
    REDIS_URL: `redis://127.0.0.1:${ports[0]}`,
    REDIS_NODES: ports
      .slice(1)
      .map((port) => `127.0.0.1:${port}`)
      .join(','),
    BULLMQ_PREFIX: '{ariftly-test}',
  })
})
afterAll(async () => {
  await fixture?.close()
  await receiver?.close()
  await Promise.all(nodes.map((node) => node.kill()))
  rmSync(folder, { recursive: true, force: true })
})

test('jobs work on a Redis Cluster, and deliveries are due again when it has lost its data', async () => {
  const worker = await fixture.startWorker()
  const webhook = await fixture.subscribe({ tenant: 'cluster', url: receiver.url })
  await fixture.post('cluster', 30)
  await fixture.reaches(webhook, { delivered: 30 })
  // All keys share a hash tag, so all of them are on one node.
  const sizes = await Promise.all(nodes.map(({ client }) => client.dbsize()))
  expect(sizes.filter((size) => size > 0)).toHaveLength(1)

  receiver.respondWith(() => ({ delayMs: 100 }))
  await fixture.post('cluster', 60)
  await receiver.received(41)
  await Promise.all(nodes.map(({ client }) => client.flushall()))
  await fixture.reaches(webhook, { delivered: 90 })
  expect(new Set(receiver.requests.map(({ headers }) => headers['webhook-id'])).size).toBe(90)
  await worker.close()
}, 240_000)

// The nodes talk to each other on the port + 10000: Redis 6.2 has no setting for it.
function startNode(): Promise<RedisServer> {
  const settings = ["save ''", 'appendonly no', 'maxmemory-policy noeviction', 'cluster-enabled yes']
  return startRedisServer({ folder, lines: [...settings, 'cluster-node-timeout 5000'] })
}

async function joinNodes(): Promise<void> {
  for (const [number, { client }] of nodes.entries()) {
    const from = Math.floor((number * SLOTS) / NODES)
    const to = Math.floor(((number + 1) * SLOTS) / NODES)
    await client.cluster('ADDSLOTS', ...Array.from({ length: to - from }, (_, slot) => from + slot))
    for (const { port } of nodes) await client.cluster('MEET', '127.0.0.1', port)
  }
  await eventually('the cluster is ok', async () => {
    const states = await Promise.all(nodes.map(({ client }) => client.call('CLUSTER', 'INFO') as Promise<string>))
    return states.every((state) => state.includes('cluster_state:ok') && state.includes('cluster_known_nodes:3'))
  })
}
