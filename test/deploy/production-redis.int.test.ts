import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { findFreePort, findRedisServer, startSupervised, type Supervised } from '@ariftly/local-stack'
import { eventually, stackEnvironment } from '@ariftly/testkit'
import { Redis } from 'ioredis'
import { fencedBlocks, readPage, ROOT } from '../docs/markdown.ts'
import { parseManifest, podsOf } from './manifest.ts'

const PASSWORD = 'a-password-of-the-test'
const folder = mkdtempSync(join(tmpdir(), 'ariftly-redis-'))
let redis: Supervised
let port = 0

beforeAll(async () => {
  const certificate = fencedBlocks(readPage('k8s/README.md'), 'sh').find((block) => block.startsWith('openssl')) ?? ''
  const { status, stderr } = spawnSync('sh', ['-e'], { cwd: folder, input: certificate, encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  writeFileSync(join(folder, 'auth.conf'), `requirepass ${PASSWORD}`)
  port = await findFreePort()
  const manifest = parseManifest(readFileSync(join(ROOT, 'k8s/examples/redis.yaml'), 'utf8'))
  const [program = '', ...args] = podsOf(manifest)[0]?.pod.containers[0]?.args ?? []
  expect(program).toBe('redis-server')
  // Where the pod mounts its Secrets, and its port.
  const places: Readonly<Record<string, string>> = {
    '/etc/redis/auth/auth.conf': join(folder, 'auth.conf'),
    '/etc/redis/tls/tls.crt': join(folder, 'redis.crt'),
    '/etc/redis/tls/tls.key': join(folder, 'redis.key'),
    '6379': String(port),
  }
  const command = {
    file: await findRedisServer({ env: stackEnvironment(), progress: () => {} }),
    args: [...args.map((arg) => places[arg] ?? arg), '--dir', folder],
    cwd: folder,
    env: {},
  }
  redis = await startSupervised(command, { signal: 'SIGKILL', graceMs: 0 }, join(folder, 'log'))
}, 120_000)
afterAll(async () => {
  if (redis !== undefined) process.kill(redis.pid, 'SIGKILL')
  await redis?.exited
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

/** Connects once, as the services do, and gives what `ask` answers. */
async function withClient<T>(
  options: { readonly password?: string; readonly servername?: string },
  ask: (client: Redis) => Promise<T>,
): Promise<T> {
  const tls = { ca: readFileSync(join(folder, 'redis-ca.crt')), servername: options.servername ?? 'redis.ariftly' }
  const { password = PASSWORD } = options
  const once = { lazyConnect: true, retryStrategy: () => null }
  const client = new Redis({ host: '127.0.0.1', port, password, tls, ...once })
  client.on('error', () => {})
  try {
    await client.connect()
    return await ask(client)
  } finally {
    client.disconnect()
  }
}

const ping = (options: { readonly password?: string; readonly servername?: string }) =>
  withClient(options, (client) => client.ping())

test('Redis of the example for production has TLS for the name in REDIS_URL, asks for the password and does not evict', async () => {
  await eventually('Redis answers', () => ping({}))
  const policy = await withClient({}, (client) => client.config('GET', 'maxmemory-policy'))
  expect(policy).toEqual(['maxmemory-policy', 'noeviction'])
  await expect(ping({ password: 'another' })).rejects.toThrow()
  await expect(ping({ servername: 'redis.other' })).rejects.toThrow()
})
