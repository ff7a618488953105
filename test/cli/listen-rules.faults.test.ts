import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { eventually, startReceiver, type Receiver } from '@ariftly/testkit'
import { Webhook } from 'standardwebhooks'
import { startFlowSystem, type FlowSystem } from './flow-system.ts'
import { errorOf, numbered, objectsOf } from './printed.ts'
import { createSchemaChecker } from './schema-checker.ts'
import type { PipedCli } from './start-cli.ts'

const SECRET = 'a-secret-of-the-tests'

let system: FlowSystem
let receiver: Receiver
const checkSchema = createSchemaChecker()

beforeAll(async () => {
  system = await startFlowSystem()
}, 120_000)
afterAll(async () => await system?.close(), 60_000)
beforeEach(async () => {
  receiver = await startReceiver()
})
afterEach(async () => await receiver.close())

const at = (path: string) => receiver.requests.filter((request) => request.path === path)
const argsOf = (path: string, args: readonly string[]) => [
  'listen',
  '--forward-to',
  `http://localhost:${receiver.port}${path}`,
  '--since',
  '1h',
  ...args,
]
const start = (home: string, path: string, ...args: readonly string[]) => system.run(home, argsOf(path, args))
const stateFile = (home: string) => join(home, '.local/state/ariftly/listen/default.json')

/** What it has printed on standard output, each line checked against its schema. */
function forwarded(cli: PipedCli): readonly Record<string, unknown>[] {
  const lines = objectsOf(cli.stdout())
  expect(lines.map((line) => checkSchema('cli:ForwardedEvent', line)).filter(Boolean)).toEqual([])
  return lines
}

const awaitLive = async (cli: PipedCli) => await eventually('it is live', () => cli.stderr().includes('live'))

async function endByCtrlC(...runs: readonly PipedCli[]): Promise<void> {
  for (const cli of runs) cli.kill('SIGINT')
  expect(await Promise.all(runs.map(({ exited }) => exited))).toEqual(runs.map(() => 2))
}

describe('what is forwarded', () => {
  test('is the request of a real delivery, and wait sees that one', async () => {
    const filter = { 'data.n': { $gte: 1 } }
    const url = `http://127.0.0.1:${receiver.port}/real`
    const body = { url, events: ['task.*'], task_id: 'compared', secret: SECRET, filter }
    const webhook = (await system.call('POST', '/v1/webhooks', body))['id'] as string
    const secretFile = join(system.newHome(), 'secret')
    writeFileSync(secretFile, `${SECRET}\n`)
    const cli = start(system.newHome(), '/forwarded', '--webhook', webhook, '--secret-file', secretFile)
    await awaitLive(cli)
    const data = '{"message":"Größe \\u001b[31m","n":1.0,"big":12345678901234567890}'
    const [, id = ''] = await system.post([
      numbered('compared', 0),
      { type: 'task.progress', task_id: 'compared', data },
    ])
    const waited = system.run(system.newHome(), ['wait', id, '--delivered', '--timeout', '60s'])
    expect({ code: await waited.exited, stderr: waited.stderr() }).toMatchObject({ code: 0 })
    expect(objectsOf(waited.stdout())).toMatchObject([
      { id, deliveries: [{ status: 'delivered', webhook_id: webhook }] },
    ])
    const [real, forward] = await eventually('the delivery and the forwarded event', () => {
      const [one, other] = [at('/real')[0], at('/forwarded')[0]]
      if (one === undefined || other === undefined) throw new Error('not both have arrived')
      return [one, other] as const
    })
    expect(forward.body.equals(real.body)).toBe(true)
    const { traceparent, 'webhook-timestamp': _, 'webhook-signature': __, ...same } = real.headers
    const { 'webhook-timestamp': ___, 'webhook-signature': ____, ...ours } = forward.headers
    expect(traceparent).toBeDefined()
    expect({ ...ours, host: same.host }).toEqual(same)
    const verifier = new Webhook(SECRET, { format: 'raw' })
    verifier.verify(forward.body, forward.headers as Record<string, string>)
    expect(at('/real')).toHaveLength(1)
    expect(at('/forwarded')).toHaveLength(1)
    await endByCtrlC(cli)
  })

  test('is given up after its attempts, its task continues, and --retry-failed posts it again', async () => {
    const home = system.newHome()
    receiver.respondWith(({ path, body }) => ({ status: path === '/once' && body.includes('"n":1}') ? 500 : 204 }))
    await system.post([1, 2, 3].map((n) => numbered('given-up', n)))
    const cli = start(home, '/once', '--task', 'given-up', '--max-attempts', '2')
    await eventually('3 events are forwarded', () => forwarded(cli).length === 3)
    expect(forwarded(cli)).toMatchObject([
      { result: 'failed', status: 500, attempts: 2, reason: 'answered 500' },
      { result: 'delivered', status: 204, attempts: 1, reason: null },
      { result: 'delivered', status: 204, attempts: 1, reason: null },
    ])
    await endByCtrlC(cli)
    expect(cli.stderr()).toContain('2 delivered, 1 failed')
    const again = start(home, '/again', '--retry-failed')
    expect({ code: await again.exited, stderr: again.stderr() }).toMatchObject({ code: 0 })
    expect(forwarded(again)).toMatchObject([{ result: 'delivered', attempts: 1 }])
    expect(at('/again').map(({ body }) => body.toString())).toEqual([at('/once')[0]?.body.toString()])
    const none = start(home, '/again', '--retry-failed')
    expect(await none.exited).toBe(0)
    expect(at('/again')).toHaveLength(1)
  })
})

describe('a state', () => {
  test('belongs to one process at a time, which is named; --name gives another one', async () => {
    const home = system.newHome()
    const running = start(home, '/hook', '--task', 'none')
    await awaitLive(running)
    const [second, named] = [
      start(home, '/hook', '--task', 'none'),
      start(home, '/hook', '--task', 'none', '--name', 'other'),
    ]
    expect(await second.exited).toBe(1)
    expect(errorOf(second)).toMatchObject({
      code: 'state_in_use',
      message: expect.stringContaining(`process ${running.pid}`),
    })
    await awaitLive(named)
    await endByCtrlC(running, named)
  })

  test('of another filter, server or tenant, or one that is damaged, is refused with a remedy and left unchanged', async () => {
    const home = system.newHome()
    const first = start(home, '/hook', '--task', 'none')
    await awaitLive(first)
    await endByCtrlC(first)
    const before = readFileSync(stateFile(home), 'utf8')
    const refused = async (named: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
      const cli = system.run(home, argsOf('/hook', ['--task', 'none', ...args]), env)
      expect({ named, code: await cli.exited }).toEqual({ named, code: 1 })
      expect(errorOf(cli)).toMatchObject({
        code: 'state_of_another',
        message: expect.stringContaining(`of another ${named}: `),
        remedy: expect.stringContaining('--name'),
      })
    }
    await refused('filter', ['--events', 'task.*'])
    await refused('server', [], { ARIFTLY_URL: `http://localhost:${system.port}` })
    await refused('tenant', [], { ARIFTLY_API_KEY: await system.world.apiKey('another') })
    expect(readFileSync(stateFile(home), 'utf8')).toBe(before)
    writeFileSync(stateFile(home), before.slice(0, 40))
    const damaged = start(home, '/hook', '--task', 'none')
    expect(await damaged.exited).toBe(1)
    expect(errorOf(damaged)).toMatchObject({
      code: 'state_damaged',
      message: expect.stringContaining(stateFile(home)),
      remedy: expect.any(String),
    })
    expect(readFileSync(stateFile(home), 'utf8')).toBe(before.slice(0, 40))
    expect(receiver.requests).toEqual([])
  })

  test('that cannot be written stops it, and what was not saved is not lost', async () => {
    const home = system.newHome()
    const cli = start(home, '/hook', '--task', 'unwritable')
    await awaitLive(cli)
    const folder = dirname(stateFile(home))
    rmSync(folder, { recursive: true })
    writeFileSync(folder, 'no folder')
    await system.post([numbered('unwritable', 1)])
    expect(await cli.exited).toBe(1)
    expect(errorOf(cli)).toMatchObject({ code: 'state_not_writable', remedy: expect.any(String) })
  })
})

describe('a target', () => {
  test('is on this machine, and its redirects are not followed', async () => {
    const targets = ['http://192.0.2.1/', 'http://0.0.0.0:1/', 'http://[2001:db8::1]/']
    const refused = targets.map((target) => system.run(system.newHome(), ['listen', '--forward-to', target]))
    expect(await Promise.all(refused.map(({ exited }) => exited))).toEqual([1, 1, 1])
    for (const cli of refused) expect(errorOf(cli)).toMatchObject({ code: 'target_not_local' })
    receiver.respondWith(({ path }) => (path === '/away' ? { status: 307, headers: { location: '/elsewhere' } } : {}))
    await system.post([numbered('redirected', 1)])
    const cli = start(system.newHome(), '/away', '--task', 'redirected', '--max-attempts', '1')
    await eventually('the event is forwarded', () => forwarded(cli).length === 1)
    expect(forwarded(cli)).toMatchObject([{ result: 'failed', status: 307 }])
    expect(at('/elsewhere')).toEqual([])
  })

  // resolve-target.test.ts checks which addresses that lets through: no test sends events off this machine.
  test('may be elsewhere with --allow-remote-target, which warns', async () => {
    await system.post([numbered('remote', 1)])
    const cli = start(system.newHome(), '/hook', '--task', 'remote', '--allow-remote-target')
    await eventually('the event is forwarded', () => forwarded(cli).length === 1)
    expect(forwarded(cli)).toMatchObject([{ result: 'delivered', status: 200 }])
    expect(cli.stderr()).toContain('Warning: events may leave this machine.')
    await endByCtrlC(cli)
  })
})

describe('in a terminal', () => {
  /** Clears the screen, sets a title, moves the cursor, turns text round, hides text; 256 KiB with all that is around it. */
  const HOSTILE = `\u001b[2J\u001b]0;owned\u0007\u009b1;1H\r\u202egnp\u2066\u200b\u2028${'x'.repeat(250_000)}`

  test('the status is one line that is true at every width, and nothing that is forwarded drives the screen', async () => {
    const cli = system.open(system.newHome(), argsOf('/hook', ['--task', 'hostile']), {}, { cols: 40, rows: 20 })
    const shows = async (status: string) =>
      await eventually(`the status is ${status}`, async () => (await cli.status()) === status).catch(
        async (error: unknown) => {
          throw new Error(`${status} is not on the screen:\n${(await cli.lines()).join('\n')}`, { cause: error })
        },
      )
    await shows(liveStatus(0).slice(0, 39))
    const post = async () =>
      await system.post([{ type: 'task.progress', task_id: 'hostile', data: { message: HOSTILE } }])
    const [first = ''] = await post()
    await shows(liveStatus(1).slice(0, 39))
    cli.resize(120, 20)
    await shows(liveStatus(1))
    const [second = ''] = await post()
    await shows(liveStatus(2))
    cli.resize(20, 20)
    await shows(liveStatus(2).slice(0, 19))
    cli.resize(90, 20)
    const [third = ''] = await post()
    await shows(liveStatus(3))
    const screen = (await cli.lines()).join('\n')
    for (const id of [first, second, third]) expect(screen).toContain(id)
    const messages = at('/hook').map(({ body }) => messageOf(body))
    expect(messages).toEqual([HOSTILE, HOSTILE, HOSTILE])
    cli.type('\u0003')
    expect(await cli.exited).toBe(2)
    expect((await cli.lines()).findLast((line) => line !== '')).toMatch(/^3 delivered, 0 failed\. The same command/)
  })
})

const liveStatus = (delivered: number) => `live · ${delivered} delivered, 0 failed, 0 in flight`

async function expectReset(cli: PipedCli): Promise<void> {
  expect(await cli.exited).toBe(1)
  expect(errorOf(cli)).toMatchObject({
    code: 'stream_reset',
    message: expect.stringContaining('(log_changed)'),
    remedy: expect.stringContaining('--accept-gap'),
  })
}

function messageOf(body: Buffer): unknown {
  return (JSON.parse(body.toString()) as { readonly data: { readonly message?: unknown } }).data.message
}

// The last one, as the log is another one then.
test('a position that cannot be kept ends it with 1 and stays, until the gap is accepted', async () => {
  await system.post([numbered('reset', 1)])
  const [home, other] = [system.newHome(), system.newHome()]
  const [ends, continues] = [
    start(home, '/ends', '--task', 'reset'),
    start(other, '/continues', '--task', 'reset', '--accept-gap'),
  ]
  await eventually(
    'both have forwarded the event',
    () => forwarded(ends).length === 1 && forwarded(continues).length === 1,
  )
  await system.killServer()
  await system.changeLog()
  await system.startServer()
  await expectReset(ends)
  const { position } = JSON.parse(readFileSync(stateFile(home), 'utf8')) as { readonly position: string }
  expect(position).toMatch(/^v1\./)
  await system.post([numbered('reset', 2)])
  await eventually('the event after the gap is forwarded', () =>
    at('/continues').some(({ body }) => body.includes('"n":2}')),
  )
  expect(continues.stderr()).toContain('This gap is accepted.')
  await expectReset(start(home, '/ends', '--task', 'reset'))
  expect(readFileSync(stateFile(home), 'utf8')).toContain(position)
  expect(at('/ends').filter(({ body }) => body.includes('"n":2}'))).toEqual([])
  const accepted = start(home, '/ends', '--task', 'reset', '--accept-gap')
  await eventually('the event after the gap is forwarded', () =>
    at('/ends').some(({ body }) => body.includes('"n":2}')),
  )
  await endByCtrlC(continues, accepted)
})
