import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer, type Server } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createTestAuthority, eventually, startForwardProxy, type ForwardProxy } from '@ariftly/testkit'
import { startStandalone, type Standalone } from '../support/standalone.ts'
import { installCli } from './install-cli.ts'
import { objectsOf } from './printed.ts'
import { startInTerminal, startPiped } from './start-cli.ts'

/** A host that no name server knows: it is reached through a proxy or not at all. */
const HOST = 'api.ariftly.invalid'

let system: Standalone
let program: string
let home: string

beforeAll(async () => {
  ;[program, system] = await Promise.all([installCli(), startStandalone()])
  home = newHome()
})

afterAll(async () => {
  await system?.close()
})

type Env = Readonly<Record<string, string>>

const newHome = () => mkdtempSync(join(process.env['ARIFTLY_TEST_DIR'] ?? tmpdir(), 'cli-home-'))
const env = (more: Env = {}) => ({ HOME: home, ARIFTLY_URL: system.url, ARIFTLY_API_KEY: system.apiKey, ...more })

async function pipe(args: readonly string[], more: Env = {}, input = '') {
  const cli = startPiped({ program, args, env: env(more) }, input)
  const code = await cli.exited
  return { code, out: cli.stdout(), err: cli.stderr() }
}

async function post(task: string, count: number): Promise<void> {
  const events = Array.from({ length: count }, (_, n) => ({
    type: 'task.progress',
    task_id: task,
    data: { message: 'Größe', n },
  }))
  await system.post('/v1/events', JSON.stringify(events), 202)
  await eventually('the events are listed', async () => {
    const answer = await system.request(`/v1/events?task_id=${task}`)
    return ((await answer.json()) as { readonly data: readonly unknown[] }).data.length === count
  })
}

const checksOf = ({ out }: { readonly out: string }) =>
  new Map(objectsOf(out).map(({ check, status, detail }) => [check, `${String(status)}: ${String(detail)}`]))
const lineOf = (n: string) => `{"type":"task.progress","task_id":"t_api","data":{"message":"Größe","n":${n}}}\n`

describe('behind a proxy', () => {
  let proxy: ForwardProxy
  let tunnel: ForwardProxy
  let secure: Server
  let ca: string

  beforeAll(async () => {
    const authority = createTestAuthority()
    ca = join(home, 'ca.pem')
    writeFileSync(ca, authority.cert)
    const port = Number(new URL(system.url).port)
    secure = createServer(authority.issue({ names: [HOST] }), (socket) => {
      const onward = connect(port, '127.0.0.1')
      socket.pipe(onward).pipe(socket)
      socket.on('error', () => onward.destroy())
      onward.on('error', () => socket.destroy())
    })
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve))
    proxy = await startForwardProxy(port)
    tunnel = await startForwardProxy((secure.address() as { readonly port: number }).port)
    await post('t_proxy', 2)
  })

  afterAll(async () => {
    await Promise.all([proxy?.close(), tunnel?.close()])
    secure?.close()
  })

  const plain = () => ({ ARIFTLY_URL: `http://${HOST}`, HTTP_PROXY: proxy.url })
  const https = () => ({ ARIFTLY_URL: `https://${HOST}`, HTTPS_PROXY: tunnel.url, NODE_EXTRA_CA_CERTS: ca })
  const tail = ['events', 'tail', '--task', 't_proxy', '--since', '1h', '--no-follow']

  test('calls and streams go through it, by CONNECT for https', async () => {
    const answers = await Promise.all([
      pipe(['whoami', '--allow-http'], plain()),
      pipe([...tail, '--allow-http'], plain()),
      pipe(['whoami'], https()),
      pipe(tail, https()),
    ])
    expect(answers.map(({ code, err }) => ({ code, err }))).toEqual(answers.map(() => ({ code: 0, err: '' })))
    expect(answers.map(({ out }) => objectsOf(out).length)).toEqual([1, 2, 1, 2])
    expect(proxy.requests).toContain(`GET http://${HOST}/v1/api-keys/current`)
    expect(new Set(tunnel.requests)).toEqual(new Set([`CONNECT ${HOST}:443`]))
  })

  test('doctor says which one is used, and streams through it', async () => {
    const [through, local] = await Promise.all([pipe(['doctor'], https()), pipe(['doctor'], { HTTP_PROXY: proxy.url })])
    expect(checksOf(through).get('proxy')).toBe(`ok: ${new URL(tunnel.url).host}, of HTTPS_PROXY`)
    expect(checksOf(through).get('stream')).toMatch(/^ok: /)
    expect(checksOf(local).get('proxy')).toMatch(/^ok: Not used for 127\.0\.0\.1:\d+: HTTP_PROXY /)
    expect([through.code, local.code]).toEqual([0, 0])
  })

  test('NO_PROXY leaves a host out', async () => {
    const before = tunnel.requests.length
    const { code, err } = await pipe(['doctor'], { ...https(), NO_PROXY: '.invalid' })
    expect({ code, err, requests: tunnel.requests.length }).toEqual({ code: 1, err: '', requests: before })
  })
})

describe('ariftly api', () => {
  test('prints the bytes of the answer, sends a file unchanged, and follows the pages of a list', async () => {
    const file = join(home, 'events.ndjson')
    writeFileSync(file, lineOf('1.0') + lineOf('9007199254740993'))
    const sent = await pipe(['api', 'POST', '/v1/events', '-d', `@${file}`, '-H', 'Content-Type: application/x-ndjson'])
    expect({ code: sent.code, err: sent.err }).toEqual({ code: 0, err: '' })
    const path = '/v1/events?task_id=t_api&order=asc&limit=1'
    const list = await eventually('both are listed', async () => {
      const { out } = await pipe(['api', 'GET', path, '--all'])
      return out.split('\n').length === 3 ? out : undefined
    })
    expect(list).toMatch(/"n":1\.0.*\n.*"n":9007199254740993/)
    const direct = await system.request(path)
    const [{ out, err }, bytes] = [await pipe(['api', 'GET', path, '-i']), await direct.text()]
    expect(out.replace(/"next_cursor":"[^"]*"/, '')).toBe(bytes.replace(/"next_cursor":"[^"]*"/, ''))
    expect(err).toMatch(/^200\n(.*\n)*content-type: application\/json/)
  })

  test('ends with the codes and errors of all commands', async () => {
    const missing = await pipe(['api', 'GET', '/v1/webhooks/whk_01h455vb4pex5vsknk084sn02q'])
    expect({ code: missing.code, ...objectsOf(missing.err)[0] }).toMatchObject({
      code: 1,
      error: { code: 'not_found', status: 404, request_id: expect.any(String) },
    })
    const wrong = await pipe(['api', 'GET', '/v1/events'], { ARIFTLY_API_KEY: 'ak_wrong_key' })
    expect(wrong.code).toBe(4)
    expect((await pipe(['api', 'DELETE', '/v1/events'])).code).toBe(1)
    const header = await pipe(['api', 'GET', '/v1/events', '-H', 'Authorization: Bearer ak_1234567890'])
    expect(header.code).toBe(1)
    expect(header.err).not.toContain('ak_1234567890')
  })
})

describe('in a terminal', () => {
  test('login asks for the address and, without showing it, the key', async () => {
    const own = { HOME: newHome(), ARIFTLY_URL: '', ARIFTLY_API_KEY: '' }
    const cli = startInTerminal({ program, args: ['login', '--profile', 'typed'], env: env(own) })
    const shows = async (text: string) =>
      await eventually(`it shows ${text}`, async () => (await cli.lines()).some((line) => line.includes(text)))
    await shows('Address of the API:')
    cli.type(`${system.url}\r`)
    await shows('API key for')
    cli.type(`${system.apiKey}x\u007f\r`)
    expect(await cli.exited).toBe(0)
    expect((await cli.lines()).join('\n')).not.toContain(system.apiKey.slice(0, 12))
    const who = await pipe(['whoami', '--profile', 'typed'], own)
    expect(objectsOf(who.out)).toMatchObject([{ url: system.url, key_source: 'profile typed' }])
    const listed = await pipe(['profiles', '--profile', 'typed'], own)
    expect(objectsOf(listed.out)).toEqual([{ profile: 'typed', url: system.url, chosen: true }])
  })

  test('login that is cancelled keeps nothing', async () => {
    const own = { HOME: newHome(), ARIFTLY_API_KEY: '' }
    const cli = startInTerminal({ program, args: ['login'], env: env(own) })
    await eventually('it asks', async () => (await cli.status()).includes('API key for'))
    cli.type('\u0003')
    expect(await cli.exited).toBe(2)
    expect((await pipe(['profiles'], own)).out).toBe('')
  })

  test.each([40, 80, 120])('tables fit %i columns, and ids are whole', async (cols) => {
    await eventually('the events are there', async () => {
      await post(`t_wide_${cols}`, 3)
      return true
    })
    const args = ['events', 'list', '--task', `t_wide_${cols}`]
    const cli = startInTerminal({ program, args, env: env() }, { cols, rows: 30 })
    expect(await cli.exited).toBe(0)
    const lines = (await cli.lines()).filter((line) => line !== '')
    // A row that is too wide would take two lines.
    expect(lines).toHaveLength(4)
    for (const line of lines.slice(1)) expect(line).toMatch(/evt_[0-9a-z]{26}/)
  })

  test('open starts a browser at a page of the console, and says when there is none', async () => {
    const browser = join(home, 'browser')
    const seen = join(home, 'seen')
    writeFileSync(browser, `#!/bin/sh\necho "$1" > '${seen}'\n`)
    chmodSync(browser, 0o755)
    const cli = startInTerminal({ program, args: ['open', 't_1'], env: env({ BROWSER: browser }) })
    expect(await cli.exited).toBe(0)
    const url = `${system.url}/console#/tasks/t_1`
    expect(readFileSync(seen, 'utf8')).toBe(`${url}\n`)
    const none = startInTerminal({ program, args: ['open', 't_1'], env: env({ BROWSER: join(home, 'none') }) })
    expect(await none.exited).toBe(1)
    expect((await none.lines()).join('\n')).toContain(url)
  })
})

test('help is text in a pipe, and JSON when that is asked for', async () => {
  const [text, json] = [await pipe(['help', 'events', 'tail']), await pipe(['help', 'events', 'tail', '--json'])]
  expect(text.out).toContain('Usage: ariftly events tail [options]')
  expect(objectsOf(json.out)).toMatchObject([{ usage: 'ariftly events tail' }])
})
