import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { DEADLINES, eventually, findFreePort } from '@ariftly/testkit'

const ROOT = join(import.meta.dirname, '../../..')

let folder: string
let starts: Start[]
let squatter: Server | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ariftly-start-'))
  starts = []
})
afterEach(async () => {
  squatter?.close()
  await Promise.all(starts.map(({ stop }) => stop('SIGKILL')))
  await eventually('no process of the folder is left', () => processesOf(folder).length === 0)
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
})

/** What it prints when all is up: the base URL and the key. */
interface Banner {
  readonly url: string
  readonly apiKey: string
}

interface Start {
  readonly process: ChildProcess
  readonly dataDir: string
  readonly port: number
  output(): string
  /** Resolves when all is up. */
  ready(): Promise<Banner>
  /** Sends the signal and resolves with the exit code. */
  readonly stop: (signal: NodeJS.Signals) => Promise<number | null>
}

/** For Kafka, which runs for seconds: its optimizing compiler would take more time than it saves. */
const JAVA_TOOL_OPTIONS = '-XX:TieredStopAtLevel=1'

/** `npm start` as a person runs it, with no setting but PORT and DATA_DIR. */
async function npmStart(env: Record<string, string> = {}, name = 'data'): Promise<Start> {
  const port = await findFreePort()
  const dataDir = join(folder, name)
  const { PATH, HOME, JAVA_HOME, XDG_CACHE_HOME } = process.env
  const own = {
    PATH,
    HOME,
    JAVA_HOME,
    XDG_CACHE_HOME,
    JAVA_TOOL_OPTIONS,
    PORT: String(port),
    DATA_DIR: dataDir,
    ...env,
  }
  const child = spawn(process.execPath, ['scripts/start.mjs'], {
    cwd: ROOT,
    env: own,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
  const exited = once(child, 'exit').then(([code]) => code as number | null)
  const start: Start = {
    process: child,
    dataDir,
    port,
    output: () => text,
    ready: async () => {
      await eventually(
        'npm start says that it runs',
        () => {
          if (child.exitCode !== null) throw new Error(`npm start ended with ${child.exitCode}:\n${text}`)
          return text.includes('Ctrl-C stops everything')
        },
        { timeoutMs: DEADLINES.programStart },
      )
      return { url: found(/Base URL {2}(\S+)/, text), apiKey: found(/API key {3}(\S+)/, text) }
    },
    stop: (signal) => {
      child.kill(signal)
      return exited
    },
  }
  starts.push(start)
  return start
}

describe('npm start', () => {
  test('runs twice at the same time with addresses of its own, starts a backend again that has died, leaves no process when it is stopped or killed, and starts again with its key and its data', async () => {
    const [one, other] = await Promise.all([npmStart({}, 'one'), npmStart({}, 'other')])
    const [first, second] = await Promise.all([one.ready(), other.ready()])
    expect(first.url).toBe(`http://127.0.0.1:${one.port}`)
    const addresses = [one, other].map(
      ({ dataDir }) => JSON.parse(readFileSync(join(dataDir, 'stack.json'), 'utf8')) as Record<string, string>,
    )
    expect(Object.keys(addresses[0] ?? {})).toEqual(['kafka', 'postgres', 'redis'])
    const all = addresses.flatMap((entry) => Object.values(entry))
    expect(new Set(all).size).toBe(6)
    const stranger = await fetch(`${first.url}/v1/events`, { headers: { authorization: `Bearer ${second.apiKey}` } })
    expect(stranger.status).toBe(401)
    await Promise.all([post(first, 'task_of_one'), post(second, 'task_of_other')])

    const killed = pidOf(one, 'redis')
    process.kill(killed, 'SIGKILL')
    await eventually(
      'Redis is started again',
      () => one.output().includes('Starting redis again') && pidOf(one, 'redis') !== killed,
    )
    await eventually('the system is ready again', async () => (await fetch(`${first.url}/readyz`)).status === 200)

    const stopping = performance.now()
    const [code] = await Promise.all([one.stop('SIGINT'), other.stop('SIGKILL')])
    expect(code).toBe(0)
    expect(performance.now() - stopping).toBeLessThan(10_000)
    expect(processesOf(one.dataDir)).toEqual([])
    await eventually('no process of the folder is left', () => processesOf(folder).length === 0)

    const again = await Promise.all([npmStart({}, 'one'), npmStart({}, 'other')])
    const [firstAgain, secondAgain] = await Promise.all(again.map((start) => start.ready()))
    expect([firstAgain?.apiKey, secondAgain?.apiKey]).toEqual([first.apiKey, second.apiKey])
    expect(await list(firstAgain ?? first)).toEqual(['task_of_one'])
    expect(await list(secondAgain ?? second)).toEqual(['task_of_other'])
  }, 180_000)

  test('says in one sentence that its port is taken, and starts nothing', async () => {
    const port = await findFreePort()
    squatter = createServer().listen(port, '127.0.0.1')
    await once(squatter, 'listening')
    const start = await npmStart({ PORT: String(port) })
    await eventually('npm start has failed', () => start.process.exitCode === 1)
    expect(start.output()).toContain(`Port ${port} of 127.0.0.1 is taken`)
    expect(existsSync(start.dataDir)).toBe(false)
  })

  test('lists every wrong setting before anything is started', async () => {
    const start = await npmStart({ PORT: 'http', LOG_LEVEL: 'loud', KAFKA_PARTITIONS: '0' })
    await eventually('npm start has refused its settings', () => start.process.exitCode === 78)
    for (const name of ['PORT', 'LOG_LEVEL', 'KAFKA_PARTITIONS']) expect(start.output()).toContain(`- ${name} `)
    expect(existsSync(start.dataDir)).toBe(false)
  })
})

/** Posts the first event of a task, and waits until it is listed. */
async function post(banner: Banner, taskId: string): Promise<void> {
  const headers = { authorization: `Bearer ${banner.apiKey}`, 'content-type': 'application/json' }
  const body = JSON.stringify({ type: 'task.created', task_id: taskId, data: { title: 'kept' } })
  expect((await fetch(`${banner.url}/v1/events`, { method: 'POST', headers, body })).status).toBe(202)
  await eventually('the event is listed', async () => (await list(banner)).length === 1)
}

async function list({ url, apiKey }: Banner): Promise<readonly unknown[]> {
  const response = await fetch(`${url}/v1/events`, { headers: { authorization: `Bearer ${apiKey}` } })
  expect(response.status).toBe(200)
  const { data } = (await response.json()) as { readonly data: readonly { readonly task_id: unknown }[] }
  return data.map((event) => event.task_id)
}

/** The process of a part; NaN while it starts. */
function pidOf({ dataDir }: Start, part: string): number {
  return Number(readFileSync(join(dataDir, part, 'pid'), 'utf8').split(' ', 1)[0] || Number.NaN)
}

/** The ids of all processes whose command line names `path` (Linux). */
function processesOf(path: string): readonly number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && commandLine(pid).includes(path))
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return '' // It has just ended.
  }
}

function found(pattern: RegExp, text: string): string {
  return pattern.exec(text)?.[1] ?? ''
}
