import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { findFreePort, findRedisServer } from '@ariftly/local-stack'
import { eventually, startReceiver, type Receiver } from '@ariftly/testkit'
import { Redis } from 'ioredis'
import { createWorkerWorld, type WorkerWorld } from './worker-world.ts'

const SLOTS = 16_384
const NODES = 3

let folder: string
const servers: ChildProcess[] = []
const nodes: Redis[] = []
let fixture: WorkerWorld
let receiver: Receiver

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ariftly-cluster-'))
  const started = await startNodes()
  await joinNodes(started)
  const ports = started.map(({ port }) => port)
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
  await eventually(async () => (await fixture.states(webhook))['delivered'] === 30)
  // All keys share a hash tag, so all of them are on one node.
  const sizes = await Promise.all(nodes.map((node) => node.dbsize()))
  expect(sizes.filter((size) => size > 0)).toHaveLength(1)

  receiver.respondWith(() => ({ delayMs: 100 }))
  await fixture.post('cluster', 60)
  await eventually(() => receiver.requests.length > 40)
  await Promise.all(nodes.map((node) => node.flushall()))
  await eventually(async () => (await fixture.states(webhook))['delivered'] === 90)
  expect(new Set(receiver.requests.map(({ headers }) => headers['webhook-id'])).size).toBe(90)
  await worker.close()
}, 240_000)

/** Both ports of a node: that of clients, and that on which the nodes speak with each other. */
interface Ports {
  readonly port: number
  readonly busPort: number
}

async function startNodes(): Promise<readonly Ports[]> {
  const program = await findRedisServer({ env: process.env, progress: () => {} })
  const started: Ports[] = []
  while (started.length < NODES) {
    const ports = { port: await findFreePort(), busPort: await findFreePort() }
    if (await startNode(program, ports)) started.push(ports)
  }
  return started
}

/** Starts a node and waits until it answers; false if it has ended, as it does when another process took one of its ports. */
async function startNode(program: string, { port, busPort }: Ports): Promise<boolean> {
  const dir = mkdtempSync(join(folder, 'node-'))
  const settings = { port, dir, save: '', appendonly: 'no', bind: '127.0.0.1', 'maxmemory-policy': 'noeviction' }
  const cluster = { 'cluster-enabled': 'yes', 'cluster-node-timeout': 5000, 'cluster-port': busPort }
  const args = Object.entries({ ...settings, ...cluster }).flatMap(([name, value]) => [`--${name}`, String(value)])
  const server = spawn(program, args, { stdio: 'ignore' })
  const node = new Redis({ port, host: '127.0.0.1', maxRetriesPerRequest: null })
  node.on('error', () => {})
  const answers = await Promise.race([node.ping().then(() => true), once(server, 'exit').then(() => false)])
  if (answers) {
    servers.push(server)
    nodes.push(node)
  } else node.disconnect()
  return answers
}

async function joinNodes(ports: readonly Ports[]): Promise<void> {
  for (const [number, node] of nodes.entries()) {
    const from = Math.floor((number * SLOTS) / NODES)
    const to = Math.floor(((number + 1) * SLOTS) / NODES)
    await node.cluster('ADDSLOTS', ...Array.from({ length: to - from }, (_, slot) => from + slot))
    for (const { port, busPort } of ports) await node.call('CLUSTER', 'MEET', '127.0.0.1', port, busPort)
  }
  await eventually(async () => {
    const states = await Promise.all(nodes.map((node) => node.call('CLUSTER', 'INFO') as Promise<string>))
    return states.every((state) => state.includes('cluster_state:ok') && state.includes('cluster_known_nodes:3'))
  })
}
