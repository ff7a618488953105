import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, copyFileSync, mkdtempSync, openSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { eventually, startReceiver, type Receiver } from '@ariftly/testkit'
import { errorOf, jsonLines } from './test-run.ts'

const PACKAGE = join(import.meta.dirname, '..')
const KEY = 'ak_1234567890_the_key'
let api: Receiver
let program: string

// By the Node that runs the tests: `npm run test:node24` has another one.
beforeAll(async () => {
  api = await startReceiver()
  execFileSync(process.execPath, [join(PACKAGE, 'bundle.mjs')])
  program = join(mkdtempSync(join(tmpdir(), 'ariftly-bundle-')), 'ariftly.cjs')
  copyFileSync(join(PACKAGE, 'dist/ariftly.cjs'), program)
})

afterAll(async () => {
  await api.close()
})

interface Ends {
  readonly stdin?: 'ignore' | 'pipe'
  readonly stdout?: number | 'pipe'
}

function start(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  { stdin = 'ignore', stdout = 'pipe' }: Ends = {},
) {
  const all = { HOME: join(program, '..'), ARIFTLY_URL: `http://127.0.0.1:${api.port}`, ARIFTLY_API_KEY: KEY, ...env }
  const child = spawn(process.execPath, [program, ...args], { env: all, stdio: [stdin, stdout, 'pipe'] })
  const text = { out: '', err: '' }
  child.stdout?.on('data', (chunk: Buffer) => (text.out += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (text.err += chunk.toString()))
  const ended = once(child, 'close').then(([code]) => ({ code: Number(code), ...text }))
  return { child, ended }
}

describe('the one file, alone in a folder', () => {
  test('says its version', async () => {
    const { version } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) as { readonly version: string }
    expect(await start(['--version']).ended).toEqual({ code: 0, out: `${version}\n`, err: '' })
  })

  test('calls the API, with its key in a header alone', async () => {
    const page = { object: 'list', data: [{ id: 'a' }], has_more: false, next_cursor: null }
    api.respondWith(() => ({ headers: { 'content-type': 'application/json' }, body: JSON.stringify(page) }))
    const ran = await start(['events', 'list']).ended
    expect({ ...ran, out: jsonLines(ran.out) }).toEqual({ code: 0, out: [{ id: 'a' }], err: '' })
    const [request] = api.requests
    expect(request?.headers.authorization).toBe(`Bearer ${KEY}`)
    expect(request?.path).not.toContain(KEY)
  })

  test('ends with 1 and says so where its output cannot be written', async () => {
    api.respondWith(() => ({
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ object: 'api_key', tenant: 'acme', scopes: [] }),
    }))
    const full = openSync('/dev/full', 'w')
    for (const args of [['whoami'], ['help']]) {
      const { code, err } = await start(args, {}, { stdout: full }).ended
      expect({ args, code, ...jsonLines(err)[0] }).toMatchObject({
        args,
        code: 1,
        error: { code: 'output_failed', message: expect.stringContaining('ENOSPC') },
      })
    }
    closeSync(full)
  })

  test('ends with 4 without a key, and with 1 for what it does not know', async () => {
    const [keyless, unknown] = [start(['whoami'], { ARIFTLY_API_KEY: '' }), start(['nothing'])]
    expect(errorOf(await keyless.ended)).toMatchObject({ code: 'needs_key', exit_code: 4 })
    expect((await keyless.ended).code).toBe(4)
    expect((await unknown.ended).code).toBe(1)
  })

  test.each(['SIGINT', 'SIGTERM'] as const)('ends with 2 at %s, without a word', async (signal) => {
    api.respondWith(() => ({ instead: 'hang' }))
    const before = api.requests.length
    const { child, ended } = start(['events', 'list'])
    await eventually('the request is sent', () => api.requests.length > before)
    child.kill(signal)
    expect(await ended).toEqual({ code: 2, out: '', err: '' })
  })

  test('events send ends with 2 at SIGTERM while its input is open and has nothing more', async () => {
    const headers = { 'content-type': 'application/json' }
    api.respondWith(() => ({ status: 202, headers, body: '{"object":"list","data":[]}' }))
    const before = api.requests.length
    const { child, ended } = start(['events', 'send'], {}, { stdin: 'pipe' })
    child.stdin?.write('{"type":"task.progress","task_id":"t","data":{}}\n')
    await eventually('the line is sent', () => api.requests.length > before)
    child.kill('SIGTERM')
    expect(await ended).toEqual({ code: 2, out: '', err: '' })
  })
})
