import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import {
  byForm,
  createRandom,
  eventually,
  randomSeed,
  startReceiver,
  type ReceivedRequest,
  type Receiver,
} from '@ariftly/testkit'
import { startHoppingProxy, type HoppingProxy } from '../support/hopping-proxy.ts'
import { comeBackAtOnce, startFlowSystem, type FlowSystem } from './flow-system.ts'
import type { TerminalCli } from './start-cli.ts'

const KILLS = byForm({ short: 2, long: 5 })
const STOPPED_MS = byForm({ short: 5000, long: 90_000 })
const UNREACHABLE_MS = byForm({ short: 5000, long: 30_000 })
const TASKS = 16
/** Events of each task in a part. */
const PART = byForm({ short: 12, long: 60 })
const TEST_MS = byForm({ short: 180_000, long: 600_000 })

let system: FlowSystem
let proxy: HoppingProxy
let receiver: Receiver
const random = createRandom(randomSeed('cli listen'))

beforeAll(async () => {
  system = await startFlowSystem()
  proxy = await startHoppingProxy({
    ports: [system.port],
    random,
    bytes: { min: 50, max: 20_000 },
    change: comeBackAtOnce,
  })
  receiver = await startReceiver()
}, 120_000)

afterAll(async () => {
  await system?.close()
  await proxy?.close()
  await receiver?.close()
}, 60_000)

/** Posts a part: the next numbers of each task. */
async function postPart(part: number): Promise<void> {
  for (let n = part * PART; n < (part + 1) * PART; n += 1) {
    await system.post(
      Array.from({ length: TASKS }, (_, task) => ({
        type: 'task.progress' as const,
        task_id: `listen-${task}`,
        data: { message: 'Größe', n },
      })),
    )
  }
}

test(
  'kills, cuts, stops and an unavailable target lose no event, keep the order of each task, and show in the status',
  async () => {
    const home = system.newHome()
    const answered: ReceivedRequest[] = []
    const answerSlowly = async (request: ReceivedRequest) => {
      await delay(random() * 4)
      answered.push(request)
      return {}
    }
    receiver.respondWith(answerSlowly)
    const { port, url: target } = receiver
    const open = () =>
      system.open(home, ['listen', '--forward-to', target, '--since', '1h', '--events', 'task.*'], {
        ARIFTLY_URL: proxy.url,
      })
    let cli: TerminalCli = open()
    let part = 0
    const shows = async (pattern: RegExp) => {
      await eventually(`the status matches ${String(pattern)}`, async () => pattern.test(await cli.status())).catch(
        async (error: unknown) => {
          throw new Error(`${String(pattern)} is not on the screen:\n${(await cli.lines()).slice(-30).join('\n')}`, {
            cause: error,
          })
        },
      )
    }

    await shows(/^live · 0 delivered, 0 failed, 0 in flight$/)
    for (let kill = 0; kill < KILLS; kill += 1) {
      const posted = postPart(part++)
      await delay(random() * 400)
      cli.kill('SIGKILL')
      await cli.exited
      cli = open()
      await posted
    }

    proxy.setCutting(true)
    proxy.dropAll()
    const { cuts } = proxy
    await postPart(part++)
    await eventually('3 more streams are cut', () => proxy.cuts >= cuts + 3)
    proxy.setCutting(false)
    proxy.dropAll()

    await shows(/^live · /)
    await Promise.all([postPart(part++), delay(random() * 200)])
    await system.killServer()
    await shows(/^(waiting \d+ s: |connecting)/)
    await system.startServer()
    await shows(/^live · /)

    cli.kill('SIGSTOP')
    await Promise.all([postPart(part++), delay(STOPPED_MS)])
    cli.kill('SIGCONT')
    await eventually('it says that it was stopped', async () =>
      (await cli.lines()).some((line) => /^This process was stopped for \d+ s/.test(line)),
    )
    await shows(/^live · /)

    await receiver.close()
    await Promise.all([postPart(part++), delay(UNREACHABLE_MS)])
    await shows(/^target down since \d\d:\d\d:\d\d: .*ECONNREFUSED.* · \d+ delivered, 0 failed, [1-9]\d* in flight$/)
    const seen = receiver.requests
    receiver = await startReceiver({ port })
    receiver.respondWith(answerSlowly)

    const wanted = TASKS * PART * part
    await eventually('all events are forwarded', () => new Set(answered.map(idOf)).size === wanted).catch(
      async (error: unknown) => {
        throw new Error(`${new Set(answered.map(idOf)).size} of ${wanted}: ${await cli.status()}`, { cause: error })
      },
    )
    await shows(/^live · \d+ delivered, 0 failed, 0 in flight$/)
    expect(seen.length).toBeGreaterThan(0)
    checkDeliveries(answered)
    cli.type('\u0003')
    expect(await cli.exited).toBe(2)
  },
  TEST_MS,
)

test('a kill repeats nothing that was delivered and saved, also behind an event that is not answered', async () => {
  const [tasks, each, answeredFirst] = [12, 50, 174]
  for (let task = 0; task < tasks; task += 1) {
    const type = 'task.failed' as const
    await system.post(
      Array.from({ length: each }, (_, n) => ({ type, task_id: `kill-${task}`, data: { error: { message: 'm' }, n } })),
    )
  }
  const home = system.newHome()
  const answered: ReceivedRequest[] = []
  let isHeld = true
  let held: ReceivedRequest | undefined
  receiver.respondWith((request) => {
    held ??= request
    if (isHeld && (request === held || answered.length >= answeredFirst)) return { instead: 'hang' }
    answered.push(request)
    return {}
  })
  const state = join(home, '.local/state/ariftly/listen/default.json')
  const settled = () =>
    existsSync(state)
      ? (JSON.parse(readFileSync(state, 'utf8')) as { readonly settled: readonly string[] }).settled.length
      : 0
  const args = ['listen', '--forward-to', receiver.url, '--since', '1h', '--events', 'task.failed']
  const first = system.run(home, args)
  await eventually('what was delivered is saved', () => {
    return answered.length === answeredFirst && settled() === answeredFirst
  })
  first.kill('SIGKILL')
  await first.exited
  isHeld = false
  const second = system.run(home, args)
  await eventually('all events are delivered', () => new Set(answered.map(idOf)).size === tasks * each)
  second.kill('SIGTERM')
  expect(await second.exited).toBe(2)
  expect(answered.length).toBe(new Set(answered.map(idOf)).size)
  checkDeliveries(answered)
})

/** Each task's numbers arrive in order: a number is first seen after all before it. A repeat begins at most once a kill, or where an answer was lost. */
function checkDeliveries(requests: readonly ReceivedRequest[]): void {
  const ids = new Map<string, string>()
  const next = new Map<string, number>()
  for (const request of requests) {
    const { task_id: task, id, data } = JSON.parse(request.body.toString()) as Body
    expect(request.headers['webhook-id']).toBe(id)
    const key = `${task}/${data.n}`
    expect(ids.get(key) ?? id).toBe(id)
    ids.set(key, id)
    const expected = next.get(task) ?? 0
    expect(data.n).toBeLessThanOrEqual(expected)
    if (data.n === expected) next.set(task, expected + 1)
  }
}

interface Body {
  readonly id: string
  readonly task_id: string
  readonly data: { readonly n: number }
}

function idOf(request: ReceivedRequest): string {
  return String(request.headers['webhook-id'])
}
