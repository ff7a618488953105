import { fork, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { byForm, createWorld, eventually, type ServiceProcess, type World } from '@ariftly/testkit'
import { startBreakingProxy, type BreakingProxy } from '../sdk/breaking-proxy.ts'
import { breakInAllWays, expectAllOnce, firstPart } from '../sdk/outages.ts'
import { createSentRows, type SentRows } from '../sdk/sent-rows.ts'
import type { SenderOrder, SenderReport } from '../sdk/sender-process.ts'
import { mintEventId } from '../support/client-event-id.ts'
import { SDK, testVenv, type Venv } from './venv.ts'

const EVENTS = byForm({ short: 2000, long: 20_000 })
const TASKS = 160
const ATTEMPT_MS = byForm({ short: 2000, long: 10_000 })
const KILLS = byForm({ short: 4, long: 20 })
const TEST_MS = byForm({ short: 120_000, long: 900_000 })
/** The sender of each life in turn: one is handed from Python to TypeScript and back. */
const LANGUAGES = ['python', 'typescript', 'python', 'python'] as const

let world: World
let rows: SentRows
let apiKey: string
let ingest: ServiceProcess
let venv: Venv
const children: ChildProcess[] = []
const proxies: BreakingProxy[] = []

beforeAll(async () => {
  venv = await testVenv()
  world = await createWorld({ env: { DRAIN_MS: '0' } })
  rows = createSentRows(world)
  apiKey = await world.apiKey('acme')
  ingest = await world.startService('ingest')
  await world.startService('projector')
}, 300_000)

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  for (const proxy of proxies) await proxy.close()
  await world?.close()
}, 60_000)

/** A sender of the Python SDK. */
interface PythonSender {
  readonly child: ChildProcess
  /** Lets it send up to this number. */
  leave(upTo: number): void
  /** What it says at its end. */
  readonly report: Promise<Omit<SenderReport, 'waitP99Ms'>>
}

function startPython(
  order: SenderOrder & { readonly prefix: string; readonly shell?: 'sync' | 'async' },
): PythonSender {
  const full = { upTo: order.to, shell: 'sync', ...order }
  const { PATH, HOME } = process.env
  const env = { PATH, HOME, PYTHONPATH: join(SDK, 'src') }
  const child = spawn(venv.python, [join(import.meta.dirname, 'sender.py')], {
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  children.push(child)
  child.stdin.write(`${JSON.stringify(full)}\n`)
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const report = once(child, 'close').then(() => JSON.parse(output.trim().split('\n').at(-1) ?? '') as SenderReport)
  // A killed sender says nothing.
  report.catch(() => undefined)
  return { child, leave: (upTo) => child.stdin.write(`${upTo}\n`), report }
}

function startTypeScript(order: SenderOrder): ChildProcess {
  const execArgv = ['--conditions=source', '--conditions=@ariftly/source', '--import', 'tsx']
  const child = fork(join(import.meta.dirname, '../sdk/sender-process.ts'), [], { execArgv })
  children.push(child)
  child.send(order)
  return child
}

async function startProxy(): Promise<BreakingProxy> {
  const proxy = await startBreakingProxy(ingest.url)
  proxies.push(proxy)
  return proxy
}

test.each(['sync', 'async'] as const)(
  'outages lose, double and reorder no event of the %s client, and memory stays bounded',
  async (shell) => {
    const proxy = await startProxy()
    const prefix = `${shell}-`
    const order = { url: proxy.url, apiKey, attemptMs: ATTEMPT_MS, tasks: TASKS, from: 0, to: EVENTS, prefix, shell }
    const sender = startPython({ ...order, upTo: firstPart(EVENTS) })
    await breakInAllWays({
      proxy,
      rows,
      prefix,
      events: EVENTS,
      leave: (upTo) => sender.leave(upTo),
      timeoutMs: TEST_MS,
    })
    const { stats, unsent, grownMb } = await sender.report
    expect({ unsent, sent: stats.sent, accepted: stats.accepted }).toEqual({
      unsent: 0,
      sent: EVENTS,
      accepted: EVENTS,
    })
    process.stderr.write(`python ${shell} outages: ${JSON.stringify({ broken: proxy.broken, grownMb, stats })}\n`)
    await expectAllOnce(rows, prefix, EVENTS)
    expect(grownMb).toBeLessThanOrEqual(64)
  },
  TEST_MS,
)

test(
  'a spool that is handed from process to process, and from language to language, by SIGKILL loses no event',
  async () => {
    const proxy = await startProxy()
    const folder = mkdtempSync(join(tmpdir(), 'python-spool-'))
    const taken = join(folder, 'taken')
    const events = KILLS * 300
    const ids = Array.from({ length: events }, () => mintEventId(Date.now()))
    const takenSoFar = () => (existsSync(taken) ? readFileSync(taken, 'utf8').split('\n').length - 1 : 0)
    const spool = { folder: join(folder, 'spool'), taken, ids }
    for (let life = 0; life < KILLS; life += 1) {
      // Half of the kills find a server that answers, half one that is down.
      proxy.break(life % 2 === 0 ? 'unavailable' : 'none')
      const from = takenSoFar()
      const order = { url: proxy.url, apiKey, attemptMs: ATTEMPT_MS, tasks: 7, from, to: events, spool }
      const isPython = LANGUAGES[life % LANGUAGES.length] === 'python'
      const child = isPython ? startPython({ ...order, prefix: 'task-' }).child : startTypeScript(order)
      // On a busy machine a sender may have ended before it is checked.
      const exited = once(child, 'exit')
      await eventually('200 more events are taken', () => takenSoFar() >= Math.min(events, from + 200), { everyMs: 5 })
      child.kill('SIGKILL')
      await exited
    }
    proxy.break('none')
    const last = { url: proxy.url, apiKey, attemptMs: ATTEMPT_MS, tasks: 7, from: takenSoFar(), to: events, spool }
    expect((await startPython({ ...last, prefix: 'task-' }).report).unsent).toBe(0)
    await eventually('all events are projected', async () => (await rows.numbersOf(ids)).length >= events)
    expect(await rows.numbersOf(ids)).toEqual(Array.from({ length: events }, (_, n) => n))
    expect(readdirSync(spool.folder)).toEqual([])
  },
  TEST_MS,
)
