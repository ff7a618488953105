import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, test } from '@jest/globals'
import { byForm, createRandom, eventually, randomSeed, startReceiver, type Receiver } from '@ariftly/testkit'
import { Webhook } from 'standardwebhooks'
import { startHoppingProxy } from '../support/hopping-proxy.ts'
import { comeBackAtOnce, startFlowSystem, type FlowSystem } from './flow-system.ts'
import type { PipedCli } from './start-cli.ts'

const CUTS = 50
const TAILED = byForm({ short: 1000, long: 4000 })
const LINES = byForm({ short: 10_000, long: 100_000 })
/** Lines a second: the faults come while lines are left. */
const RATE = byForm({ short: 5000, long: 10_000 })
const TASKS = 50
const SECRET = 'a-secret-of-the-tests'
const TEST_MS = byForm({ short: 120_000, long: 600_000 })

let system: FlowSystem
const random = createRandom(randomSeed('cli flows'))

/** Goes on while others are tested. */
let tailing: Promise<Tailed>

beforeAll(async () => {
  system = await startFlowSystem()
  tailing = tailThroughCuts()
  // Its test awaits it.
  tailing.catch(() => undefined)
}, 120_000)
afterAll(async () => await system?.close(), 60_000)

const progress = (task: string, n: number) => ({
  type: 'task.progress' as const,
  task_id: task,
  data: { message: 'm', n },
})

function objects(text: string): readonly Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

function errorOf(cli: PipedCli): Record<string, unknown> {
  return objects(
    cli
      .stderr()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .join('\n'),
  ).at(-1)?.['error'] as Record<string, unknown>
}

interface Tailed {
  readonly code: number | NodeJS.Signals
  readonly events: readonly Record<string, unknown>[]
  readonly cuts: number
}

/** Tails a task while it grows and the connection is cut at random bytes, until there were enough cuts. */
async function tailThroughCuts(): Promise<Tailed> {
  const bytes = { min: 200, max: 20_000 }
  const proxy = await startHoppingProxy({ ports: [system.port], random, bytes, change: comeBackAtOnce })
  proxy.setCutting(true)
  try {
    const args = ['events', 'tail', '--task', 'tailed', '--since', '1h', '--until', 'task.complete']
    const cli = system.run(system.newHome(), args, { ARIFTLY_URL: proxy.url })
    for (let n = 0; n < TAILED || proxy.cuts < CUTS; n += 20) {
      const { cuts } = proxy
      await system.post(Array.from({ length: 20 }, (_, at) => progress('tailed', n + at)))
      await eventually(() => proxy.cuts > cuts || cli.stdout().includes(`"n":${n + 19}}`), { timeoutMs: TEST_MS })
    }
    await system.post([{ type: 'task.complete', task_id: 'tailed', data: {} }])
    return { code: await cli.exited, events: objects(cli.stdout()), cuts: proxy.cuts }
  } finally {
    await proxy.close()
  }
}

describe('events tail', () => {
  test('ends with --no-follow when it has caught up, and with 1 where --until was not met', async () => {
    await system.post([progress('ended', 1), progress('ended', 2)])
    const args = ['events', 'tail', '--task', 'ended', '--since', '1h']
    const once = system.run(system.newHome(), [...args, '--no-follow'])
    expect(await once.exited).toBe(0)
    expect(objects(once.stdout())).toHaveLength(2)
    const unmet = system.run(system.newHome(), [
      ...args,
      '--until',
      'task.*',
      '--type',
      'task.complete',
      '--timeout',
      '1s',
    ])
    expect(await unmet.exited).toBe(1)
    expect(unmet.stdout()).toBe('')
  })
})

/** The line that the only saved state of a home continues after; 0 while there is none. */
function savedLine(home: string): number {
  const folder = join(home, '.local/state/ariftly')
  const states = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'))
  const lines = states.map((name) => /"line":\s*(\d+)/.exec(readFileSync(join(folder, name), 'utf8'))?.[1])
  return Math.max(0, ...lines.map((line) => Number(line ?? 0)))
}

describe('events send', () => {
  test(
    'neither misses nor doubles a line when it is killed and the server is started twice',
    async () => {
      const home = system.newHome()
      const file = join(home, 'events.ndjson')
      const lines = Array.from({ length: LINES }, (_, n) => JSON.stringify(progress(`sent-${n % TASKS}`, n)))
      writeFileSync(file, `${lines.join('\n')}\n`)
      const send = () => system.run(home, ['events', 'send', '-f', file, '--rate', String(RATE)])
      const first = send()
      const sentBy = async (share: number) =>
        await eventually(async () => (await system.count('sent-')) >= LINES * share, { timeoutMs: TEST_MS })
      await sentBy(0.1 + random() * 0.2)
      await eventually(() => savedLine(home) > 0)
      first.kill('SIGKILL')
      await first.exited
      const second = send()
      for (const share of [0.4, 0.7]) {
        await sentBy(share)
        await system.killServer()
        await system.startServer()
      }
      expect({ code: await second.exited, stderr: second.stderr() }).toMatchObject({ code: 0 })
      const [result] = objects(second.stdout())
      expect(result).toMatchObject({ object: 'send_result', accepted: LINES, refused: 0 })
      expect(result?.['resumed_after_line']).toBeGreaterThan(0)
      await eventually(async () => (await system.count('sent-')) >= LINES)
      const byTask = await system.numbers('sent-')
      const expected = Array.from({ length: TASKS }, (_, task) => [
        `sent-${task}`,
        Array.from({ length: LINES / TASKS }, (__, at) => task + at * TASKS),
      ])
      expect(Object.fromEntries(byTask)).toEqual(Object.fromEntries(expected))

      const third = send()
      expect(await third.exited).toBe(0)
      expect(await system.count('sent-')).toBe(LINES)
    },
    TEST_MS,
  )

  test('keeps refused lines as they stand, and takes standard input', async () => {
    const home = system.newHome()
    const [bad, broken] = ['{"type":"task.progress","task_id":"t","data":{}}', '{"type"']
    const good = '{"type":"task.progress","task_id":"piped","data":{"message":"m","n":1.0}}'
    const rejects = join(home, 'refused.ndjson')
    const cli = system.run(home, ['events', 'send', '--rejects', rejects], {}, `${bad}\n\n${good}\n${broken}`)
    expect(await cli.exited).toBe(1)
    expect(objects(cli.stdout())).toEqual([{ object: 'send_result', accepted: 1, refused: 2, resumed_after_line: 0 }])
    expect(readFileSync(rejects, 'utf8')).toBe(`${bad}\n${broken}\n`)
    expect(objects(cli.stderr())).toMatchObject([
      { refused: { line: 1, pointer: '/data/message' } },
      { refused: { line: 4 } },
    ])
  })
})

describe('listen', () => {
  let receiver: Receiver
  beforeEach(async () => {
    receiver = await startReceiver()
  })
  afterEach(async () => await receiver.close())
  const at = (path: string) => receiver.requests.filter((request) => request.path === path)
  const start = (home: string, path: string, ...args: readonly string[]) =>
    system.run(home, ['listen', '--forward-to', `http://localhost:${receiver.port}${path}`, '--since', '1h', ...args])

  test('makes the request of a real delivery, and wait sees that one', async () => {
    const filter = { 'data.n': { $gte: 1 } }
    const body = {
      url: `http://127.0.0.1:${receiver.port}/real`,
      events: ['task.*'],
      task_id: 'compared',
      secret: SECRET,
      filter,
    }
    const webhook = (await system.call('POST', '/v1/webhooks', body))['id'] as string
    const cli = start(system.newHome(), '/forwarded', '--webhook', webhook, '--secret', SECRET)
    await eventually(() => cli.stderr().includes('live'))
    const data = '{"message":"Größe \\u001b[31m","n":1.0,"big":12345678901234567890}'
    const [, id = ''] = await system.post([
      progress('compared', 0),
      { type: 'task.progress', task_id: 'compared', data },
    ])
    const waited = system.run(system.newHome(), ['wait', id, '--delivered', '--timeout', '60s'])
    expect({ code: await waited.exited, stderr: waited.stderr() }).toMatchObject({ code: 0 })
    expect(objects(waited.stdout())).toMatchObject([{ id, deliveries: [{ status: 'delivered', webhook_id: webhook }] }])
    const [real, forwarded] = await eventually(() => {
      const [one, other] = [at('/real')[0], at('/forwarded')[0]]
      if (one === undefined || other === undefined) throw new Error('not both have come')
      return [one, other] as const
    })
    expect(forwarded.body.equals(real.body)).toBe(true)
    const { traceparent, 'webhook-timestamp': _, 'webhook-signature': __, ...same } = real.headers
    const { 'webhook-timestamp': ___, 'webhook-signature': ____, ...ours } = forwarded.headers
    expect(traceparent).toBeDefined()
    expect({ ...ours, host: same.host }).toEqual(same)
    const verifier = new Webhook(SECRET, { format: 'raw' })
    verifier.verify(forwarded.body, forwarded.headers as Record<string, string>)
    expect(at('/real')).toHaveLength(1)
    expect(at('/forwarded')).toHaveLength(1)
    cli.kill('SIGINT')
    expect(await cli.exited).toBe(2)
  })

  test('gives an event up after its attempts, goes on with its task, and posts it again with --retry-failed', async () => {
    const home = system.newHome()
    receiver.respondWith(({ path, body }) => ({ status: path === '/once' && body.includes('"n":1}') ? 500 : 204 }))
    await system.post([1, 2, 3].map((n) => progress('given-up', n)))
    const cli = start(home, '/once', '--task', 'given-up', '--max-attempts', '2')
    await eventually(() => objects(cli.stdout()).length === 3)
    expect(objects(cli.stdout())).toMatchObject([
      { result: 'failed', status: 500, attempts: 2, reason: 'answered 500' },
      { result: 'delivered', status: 204, attempts: 1 },
      { result: 'delivered', status: 204, attempts: 1 },
    ])
    cli.kill('SIGINT')
    expect(await cli.exited).toBe(2)
    expect(cli.stderr()).toContain('2 delivered, 1 failed')
    const again = start(home, '/again', '--retry-failed')
    expect({ code: await again.exited, stderr: again.stderr() }).toMatchObject({ code: 0 })
    expect(at('/again').map(({ body }) => body.toString())).toEqual([at('/once')[0]?.body.toString()])
    const none = start(home, '/again', '--retry-failed')
    expect(await none.exited).toBe(0)
    expect(at('/again')).toHaveLength(1)
  })

  test('names the process that has its state, and refuses a state that is damaged or of another filter', async () => {
    const home = system.newHome()
    const running = start(home, '/hook', '--task', 'none')
    await eventually(() => running.stderr().includes('live'))
    const second = start(home, '/hook', '--task', 'none')
    expect(await second.exited).toBe(1)
    expect(errorOf(second)).toMatchObject({
      code: 'state_in_use',
      message: expect.stringContaining(`process ${running.pid}`),
    })
    const named = start(home, '/hook', '--task', 'none', '--name', 'other')
    await eventually(() => named.stderr().includes('live'))
    for (const each of [running, named]) {
      each.kill('SIGINT')
      expect(await each.exited).toBe(2)
    }
    const filtered = start(home, '/hook', '--task', 'none', '--events', 'task.*')
    expect(await filtered.exited).toBe(1)
    expect(errorOf(filtered)).toMatchObject({ code: 'state_of_another', message: expect.stringContaining('filter') })
    const path = stateFile(home)
    writeFileSync(path, readFileSync(path, 'utf8').slice(0, 40))
    const damaged = start(home, '/hook', '--task', 'none')
    expect(await damaged.exited).toBe(1)
    expect(errorOf(damaged)).toMatchObject({ code: 'state_damaged', message: expect.stringContaining(path) })
  })

  test('stops when its state cannot be written, and does not lose what it had not saved', async () => {
    const home = system.newHome()
    const cli = start(home, '/hook', '--task', 'unwritable')
    await eventually(() => cli.stderr().includes('live'))
    const folder = join(stateFile(home), '..')
    rmSync(folder, { recursive: true })
    writeFileSync(folder, 'no folder')
    await system.post([progress('unwritable', 1)])
    expect(await cli.exited).toBe(1)
    expect(errorOf(cli)).toMatchObject({ code: 'state_not_writable', remedy: expect.any(String) })
  })

  test('forwards to loopback addresses alone, and follows no redirect', async () => {
    const home = system.newHome()
    for (const target of ['http://192.0.2.1/', 'http://0.0.0.0:1/', 'http://[2001:db8::1]/']) {
      const cli = system.run(home, ['listen', '--forward-to', target])
      expect(await cli.exited).toBe(1)
      expect(errorOf(cli)).toMatchObject({ code: 'target_not_local' })
    }
    receiver.respondWith(({ path }) => (path === '/away' ? { status: 307, headers: { location: '/elsewhere' } } : {}))
    await system.post([progress('redirected', 1)])
    const cli = start(home, '/away', '--task', 'redirected', '--max-attempts', '1')
    await eventually(() => objects(cli.stdout()).length === 1)
    expect(objects(cli.stdout())).toMatchObject([{ result: 'failed', status: 307 }])
    expect(at('/elsewhere')).toEqual([])
  })
})

test(
  'events tail printed each event once, in order, while its connection was cut 50 times',
  async () => {
    const { code, events, cuts } = await tailing
    expect(code).toBe(0)
    expect(cuts).toBeGreaterThanOrEqual(CUTS)
    const tailed = events.slice(0, -1)
    expect(tailed.length).toBeGreaterThanOrEqual(TAILED)
    expect(tailed.map(({ data }) => (data as { readonly n: number }).n)).toEqual([...tailed.keys()])
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length)
  },
  TEST_MS,
)

function stateFile(home: string): string {
  const folder = join(home, '.local/state/ariftly/listen')
  return join(folder, readdirSync(folder).find((name) => name === 'default.json') ?? '')
}
