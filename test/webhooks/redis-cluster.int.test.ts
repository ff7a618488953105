import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { findFreePort, findRedisServer } from '@ariftly/local-stack'
import { startReceiver, type Receiver } from '@ariftly/testkit'
import { Redis } from 'ioredis'
import { createWorkerWorld, soon, type WorkerWorld } from './worker-world.ts'

const SLOTS = 16_384
const NODES = 3

let folder: string
const servers: ChildProcess[] = []
const nodes: Redis[] = []
let fixture: WorkerWorld
let receiver: Receiver

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ariftly-cluster-'))
  const ports = await startNodes()
  await joinNodes(ports)
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
  for (const node of nodes) node.disconnect()
  await Promise.all(servers.map(async (server) => server.kill('SIGKILL') && (await once(server, 'exit'))))
  rmSync(folder, { recursive: true, force: true })
})

test('a Redis Cluster carries the jobs, and what it held is due again when it has lost its data', async () => {
  const worker = await fixture.startWorker()
  const webhook = await fixture.subscribe({ tenant: 'cluster', url: receiver.url })
  await fixture.post('cluster', 30)
  await soon(async () => (await fixture.states(webhook))['delivered'] === 30)
  // All keys share a hash tag, so all of them are on one node.
  const sizes = await Promise.all(nodes.map((node) => node.dbsize()))
  expect(sizes.filter((size) => size > 0)).toHaveLength(1)

  receiver.respondWith(() => ({ delayMs: 100 }))
  await fixture.post('cluster', 60)
  await soon(() => receiver.requests.length > 40)
  await Promise.all(nodes.map((node) => node.flushall()))
  await soon(async () => (await fixture.states(webhook))['delivered'] === 90)
  expect(new Set(receiver.requests.map(({ headers }) => headers['webhook-id'])).size).toBe(90)
  await worker.close()
}, 240_000)

async function startNodes(): Promise<readonly number[]> {
  const program = await findRedisServer({ env: process.env, progress: () => {} })
  const ports: number[] = []
  for (let number = 0; number < NODES; number += 1) {
    // The nodes speak with each other on the port 10,000 above.
    let port = await findFreePort()
    while (port > 55_000) port = await findFreePort()
    const dir = mkdtempSync(join(folder, 'node-'))
    const settings = { port, dir, save: '', appendonly: 'no', bind: '127.0.0.1', 'maxmemory-policy': 'noeviction' }
    const cluster = { 'cluster-enabled': 'yes', 'cluster-node-timeout': 5000 }
    const args = Object.entries({ ...settings, ...cluster }).flatMap(([name, value]) => [`--${name}`, String(value)])
    servers.push(spawn(program, args, { stdio: 'ignore' }))
    ports.push(port)
    nodes.push(new Redis({ port, host: '127.0.0.1', maxRetriesPerRequest: null }))
  }
  return ports
}

async function joinNodes(ports: readonly number[]): Promise<void> {
  for (const [number, node] of nodes.entries()) {
    const from = Math.floor((number * SLOTS) / NODES)
    const to = Math.floor(((number + 1) * SLOTS) / NODES)
    await node.cluster('ADDSLOTS', ...Array.from({ length: to - from }, (_, slot) => from + slot))
    for (const port of ports) await node.cluster('MEET', '127.0.0.1', port)
  }
  await soon(async () => {
    const states = await Promise.all(nodes.map((node) => node.call('CLUSTER', 'INFO') as Promise<string>))
    return states.every((state) => state.includes('cluster_state:ok') && state.includes('cluster_known_nodes:3'))
  })
}
