import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Ariftly } from '@ariftly/sdk'
import { startWorker, type Worker } from '../ingest/worker.ts'
import { API_KEY, startBenchStack } from '../support/bench-stack.ts'
import { measurement, medians, type Measurement } from '../support/report.ts'
import { bySize } from '../support/size.ts'
import type { FlowOrder } from './client.ts'
import type { TargetState } from './target.ts'

const ROUNDS = bySize({ full: 3, smallest: 1 })
const EVENTS = bySize({ full: 50_000, smallest: 1000 })
const TASKS = 100
const CONCURRENCY = 8

/**
 * `events send`, `events tail` and `listen` against the whole product in one process, each compared with a program without the
 * command line: the SDK for the first two, a loop of POSTs with the same concurrency for `listen`. Times of the command line
 * include the start of its process.
 * Reading starts when everything that was sent can be queried: the server's work on it would slow down what runs first.
 */
export async function measureFlows(program: string, say: (line: string) => void): Promise<readonly Measurement[]> {
  return await startBenchStack({ env: { LOG_LEVEL: 'warn' } }, async ({ start, close }) => {
    const [client, target] = await Promise.all([
      startWorker(join(import.meta.dirname, 'client.ts')),
      startWorker(join(import.meta.dirname, 'target.ts')),
    ])
    try {
      const { url } = await start('standalone')
      const rounds: (readonly Measurement[])[] = []
      for (let round = 0; round < ROUNDS; round += 1) {
        rounds.push(await measureRound({ program, url, client, target, round }))
        say(rounds[round]?.map(({ name, value }) => `${name} ${value.toFixed(2)}`).join(', ') ?? '')
      }
      return medians(rounds)
    } finally {
      await Promise.all([client.close(), target.close()])
      await close()
    }
  })
}

interface Round {
  readonly program: string
  readonly url: string
  readonly client: Worker
  readonly target: Worker
  readonly round: number
}

async function measureRound({ program, url, client, target, round }: Round): Promise<readonly Measurement[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ariftly-bench-cli-'))
  const env = { PATH: process.env['PATH'], HOME: folder, ARIFTLY_URL: url, ARIFTLY_API_KEY: API_KEY }
  const run = async (...args: readonly string[]) => await secondsOf([program, ...args], env)
  const order = { url, apiKey: API_KEY, events: EVENTS, concurrency: CONCURRENCY }
  const bare = async (what: Pick<FlowOrder, 'flow' | 'file'> & Partial<FlowOrder>) =>
    (await client.ask<{ readonly seconds: number }>({ ...order, after: '', ...what })).seconds

  const [own, other] = [writeLines(folder, `cli-${round}`), writeLines(folder, `sdk-${round}`)]
  const sent = await run('events', 'send', '-f', own)
  const between = new Date().toISOString()
  const sentBySdk = await bare({ flow: 'send', file: other })
  await untilQueried(url, `sdk-${round}`)
  // All read the second half of the events: from memory and history alike.
  const tailedBySdk = await bare({ flow: 'tail', file: other, after: between })
  const tailed = await run('events', 'tail', '--since', between, '--no-follow')
  const { url: targetUrl } = await target.ask<TargetState>({})
  const listened = await listenSeconds({ program, env, target, targetUrl, since: between })
  const posted = await bare({ flow: 'post', file: other, url: targetUrl })
  return [
    measurement('send', EVENTS / sent, 'events/s'),
    measurement('tail', EVENTS / tailed, 'events/s'),
    measurement('listen', EVENTS / listened, 'events/s'),
    measurement('send_vs_sdk', sentBySdk / sent, ''),
    measurement('tail_vs_sdk', tailedBySdk / tailed, ''),
    measurement('listen_vs_loop', posted / listened, ''),
  ]
}

interface Listening extends Pick<Round, 'program' | 'target'> {
  readonly env: NodeJS.ProcessEnv
  readonly targetUrl: string
  readonly since: string
}

/** Seconds from the start of `listen` until the target had all of these events. */
async function listenSeconds({ program, env, target, targetUrl, since }: Listening): Promise<number> {
  const { requests } = await target.ask<TargetState>({})
  const startedMs = performance.now()
  const args = ['listen', '--forward-to', targetUrl, '--since', since, '--concurrency', String(CONCURRENCY)]
  const listen = spawn(process.execPath, [program, ...args], { env, stdio: 'ignore' })
  while ((await target.ask<TargetState>({})).requests < requests + EVENTS) await delay(10)
  const seconds = (performance.now() - startedMs) / 1000
  listen.kill('SIGKILL')
  await once(listen, 'exit')
  return seconds
}

/** Resolves when the last event of each task can be queried. */
async function untilQueried(url: string, name: string): Promise<void> {
  const client = new Ariftly({ baseUrl: url, apiKey: API_KEY })
  for (let task = 0; task < TASKS; task += 1) {
    const last = EVENTS - TASKS + task
    const newest = async () =>
      await client.events.list({ task_id: `${name}-${task}`, limit: 20 }).toArray({ limit: 20 })
    while (!(await newest()).some(({ data }) => (data as { readonly n?: unknown }).n === last)) await delay(100)
  }
  await client.close()
}

function writeLines(folder: string, task: string): string {
  const path = join(folder, `${task}.ndjson`)
  const message = 'Analyzing document: the third chapter is about what the second one left out. '.repeat(2)
  const line = (n: number) => ({ type: 'task.progress', task_id: `${task}-${n % TASKS}`, data: { message, n } })
  writeFileSync(path, Array.from({ length: EVENTS }, (_, n) => `${JSON.stringify(line(n))}\n`).join(''))
  return path
}

async function secondsOf(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const startedMs = performance.now()
  const child = spawn(process.execPath, [...args], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  child.stdout.resume()
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}`)
  return (performance.now() - startedMs) / 1000
}
