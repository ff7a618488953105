import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { unwrap } from '@ariftly/sdk/webhooks'
import { findFreePort, startReceiver } from '@ariftly/testkit'
import { startStandalone, type Standalone } from '../support/standalone.ts'
import { installCli } from './install-cli.ts'
import { startPiped } from './start-cli.ts'

interface Check {
  readonly check: string
  readonly status: string
  readonly detail: string
  readonly remedy?: string
}

let system: Standalone
let program: string
const servers: Server[] = []
/** Waits for a first frame that does not arrive, while others are tested. */
let behindBuffering: ReturnType<typeof doctor>

beforeAll(async () => {
  ;[program, system] = await Promise.all([installCli(), startStandalone()])
  behindBuffering = doctor([], { ARIFTLY_URL: await startProxy({ isBuffering: true }) })
  // Its test awaits it.
  behindBuffering.catch(() => undefined)
})

afterAll(async () => {
  for (const server of servers) server.close().closeAllConnections()
  await system?.close()
})

const newHome = () => mkdtempSync(join(process.env['ARIFTLY_TEST_DIR'] ?? tmpdir(), 'cli-home-'))

async function doctor(args: readonly string[] = [], env: Readonly<Record<string, string>> = {}, input = '') {
  const all = { HOME: newHome(), ARIFTLY_URL: system.url, ARIFTLY_API_KEY: system.apiKey, ...env }
  const cli = startPiped({ program, args: ['doctor', ...args], env: all }, input)
  const code = await cli.exited
  const lines = cli.stdout().split('\n').filter(Boolean)
  const checks = new Map(lines.map((line) => JSON.parse(line) as Check).map((check) => [check.check, check]))
  return { code, checks, status: (name: string) => checks.get(name)?.status }
}

/** A proxy that gives an answer out when it is whole, as some do with `proxy_buffering on`; its clock is so far off. */
async function startProxy({ isBuffering = false, clockAheadMs = 0 }): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    const target = request(
      `${system.url}${incoming.url}`,
      { method: incoming.method, headers: incoming.headers },
      (answer) => {
        const date = new Date(Date.now() + clockAheadMs).toUTCString()
        outgoing.writeHead(answer.statusCode ?? 502, { ...answer.headers, date }).flushHeaders()
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => (isBuffering ? chunks.push(chunk) : outgoing.write(chunk)))
        answer.on('end', () => outgoing.end(Buffer.concat(chunks)))
      },
    )
    target.on('error', () => outgoing.destroy())
    outgoing.on('close', () => target.destroy())
    incoming.pipe(target)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('a clock that is off by more than events may be is found', async () => {
  const { code, checks } = await doctor([], { ARIFTLY_URL: await startProxy({ clockAheadMs: -600_000 }) })
  expect(code).toBe(1)
  expect(checks.get('clock')).toMatchObject({
    status: 'failed',
    detail: expect.stringMatching(/^This machine is (59|60)\d\.\d s ahead of the server\.$/),
  })
})

test('a key that is unknown ends with 4, one without scopes is a warning', async () => {
  const unknown = await doctor([], { ARIFTLY_API_KEY: `${system.apiKey.slice(0, -4)}aaaa` })
  expect([unknown.code, unknown.status('key'), unknown.status('stream')]).toEqual([4, 'failed', 'skipped'])
  const reader = await doctor([], { ARIFTLY_API_KEY: await system.apiKeyOf('default', ['events:read']) })
  expect([reader.code, reader.status('scopes'), reader.status('stream')]).toEqual([0, 'warning', 'ok'])
})

test('an unavailable server is exit code 1, and checks that need it are skipped', async () => {
  const unavailable = await doctor([], { ARIFTLY_URL: `http://127.0.0.1:${await findFreePort()}` })
  expect([
    unavailable.code,
    unavailable.status('server'),
    unavailable.status('key'),
    unavailable.status('files'),
  ]).toEqual([1, 'failed', 'skipped', 'ok'])
})

test('a receiver that does not verify signatures is found, one that does is ok', async () => {
  const secret = 'a secret of the receiver'
  const receiver = await startReceiver()
  const args = ['--target', receiver.url, '--secret-file', '-']
  const trusting = await doctor(args, {}, secret)
  expect([trusting.code, trusting.status('signature')]).toEqual([1, 'failed'])
  receiver.respondWith(async ({ body, headers }) => {
    const isGood = await unwrap(body, headers, secret).then(
      () => true,
      () => false,
    )
    return { status: isGood ? 204 : 401 }
  })
  expect((await doctor(args, {}, secret)).status('signature')).toBe('ok')
  expect((await doctor(args, {}, 'a wrong secret')).checks.get('signature')?.remedy).toContain('secret')
  expect(
    (await doctor(['--target', 'http://example.com/', '--secret-file', '-'], {}, secret)).status('signature'),
  ).toBe('failed')
  await receiver.close()
})

test('files that others may read, or that are damaged, are found', async () => {
  const home = newHome()
  const folder = join(home, '.local/state/ariftly')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeFileSync(join(folder, 'one.json'), '{', { mode: 0o600 })
  expect((await doctor([], { HOME: home })).checks.get('files')).toMatchObject({
    status: 'failed',
    remedy: expect.stringContaining('one.json'),
  })
  writeFileSync(join(folder, 'one.json'), '{}')
  mkdirSync(join(home, '.config/ariftly'), { recursive: true, mode: 0o755 })
  const { code, checks } = await doctor([], { HOME: home })
  expect([code, checks.get('files')?.remedy]).toEqual([1, expect.stringContaining('chmod')])
})

test('a proxy that buffers streams is found, and its remedy named', async () => {
  const { code, checks, status } = await behindBuffering
  expect(code).toBe(1)
  expect([status('server'), status('key'), status('stream'), status('resume')]).toEqual([
    'ok',
    'ok',
    'failed',
    'skipped',
  ])
  expect(checks.get('stream')?.detail).toContain('holds answers back')
  expect(checks.get('stream')?.remedy).toContain('proxy_buffering off')
})
