import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { findFreePort, findRedisServer } from '@ariftly/local-stack'
import { eventually, startReceiver, type Receiver } from '@ariftly/testkit'
import { Redis } from 'ioredis'
import { createWorkerWorld, type WorkerWorld } from './worker-world.ts'

const NAME = 'webhooks'
const SENTINELS = 3
const QUORUM = 2

/** A Redis, or a Sentinel. */
interface Server {
  readonly port: number
  readonly process: ChildProcess
  readonly client: Redis
}

let folder: string
let program: string
const servers: Server[] = []
let primary: Server
let sentinels: readonly Server[]
let fixture: WorkerWorld
let receiver: Receiver

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ariftly-sentinel-'))
  program = await findRedisServer({ env: process.env, progress: () => {} })
  primary = await startServer([])
  await startServer([`replicaof 127.0.0.1 ${primary.port}`])
  sentinels = await Promise.all(Array.from({ length: SENTINELS }, () => startSentinel(primary.port)))
  await eventually(async () => (await Promise.all(sentinels.map(knowsAll))).every(Boolean))
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
  for (const { client } of servers) client.disconnect()
  await Promise.all(servers.map((server) => kill(server)))
  rmSync(folder, { recursive: true, force: true })
})

test('webhooks go on with the replica that Sentinels promote when the Redis dies, and none is lost', async () => {
  const worker = await fixture.startWorker()
  const webhook = await fixture.subscribe({ tenant: 'sentinel', url: receiver.url })
  await fixture.post('sentinel', 30)
  await eventually(async () => (await fixture.states(webhook))['delivered'] === 30)

  receiver.respondWith(() => ({ delayMs: 100 }))
  await fixture.post('sentinel', 60)
  await eventually(() => receiver.requests.length > 40)
  await kill(primary)
  await fixture.post('sentinel', 30)
  await eventually(async () => (await fixture.states(webhook))['delivered'] === 120, { timeoutMs: 120_000 })
  expect(new Set(receiver.requests.map(({ headers }) => headers['webhook-id'])).size).toBe(120)
  // Each Sentinel learns within seconds what another one has decided.
  await eventually(async () => (await Promise.all(sentinels.map(primaryPort))).every((port) => port !== primary.port))
  await worker.close()
}, 300_000)

async function startServer(lines: readonly string[], flags: readonly string[] = []): Promise<Server> {
  for (;;) {
    const port = await findFreePort()
    const dir = mkdtempSync(join(folder, 'redis-'))
    const file = join(dir, 'redis.conf')
    const own = [`port ${port}`, 'bind 127.0.0.1', `dir ${dir}`]
    writeFileSync(file, `${[...own, ...lines].join('\n')}\n`)
    const process = spawn(program, [file, ...flags], { stdio: 'ignore' })
    const client = new Redis({ port, host: '127.0.0.1', maxRetriesPerRequest: null })
    client.on('error', () => {})
    const answers = await Promise.race([client.ping().then(() => true), once(process, 'exit').then(() => false)])
    const server = { port, process, client }
    if (answers) {
      servers.push(server)
      return server
    }
    // Another process took its port.
    client.disconnect()
  }
}

async function startSentinel(port: number): Promise<Server> {
  const watched = [
    `sentinel monitor ${NAME} 127.0.0.1 ${port} ${QUORUM}`,
    `sentinel down-after-milliseconds ${NAME} 2000`,
    `sentinel failover-timeout ${NAME} 5000`,
  ]
  return await startServer(watched, ['--sentinel'])
}

/** Whether a Sentinel has found the replica and the other Sentinels. */
async function knowsAll({ client }: Server): Promise<boolean> {
  const facts = (await client.call('SENTINEL', 'master', NAME)) as string[]
  const of = (name: string) => facts[facts.indexOf(name) + 1]
  return of('num-slaves') === '1' && of('num-other-sentinels') === String(SENTINELS - 1)
}

/** The port of what a Sentinel takes for the primary. */
async function primaryPort({ client }: Server): Promise<number> {
  const [, port] = (await client.call('SENTINEL', 'get-master-addr-by-name', NAME)) as [host: string, port: string]
  return Number(port)
}

async function kill({ process }: Server): Promise<void> {
  if (process.exitCode !== null || process.signalCode !== null) return
  const exited = once(process, 'exit')
  process.kill('SIGKILL')
  await exited
}
