import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { byForm, createRandom, eventually, randomSeed } from '@ariftly/testkit'
import { startHoppingProxy } from '../support/hopping-proxy.ts'
import { comeBackAtOnce, startFlowSystem, type FlowSystem } from './flow-system.ts'
import { numbered, objectsOf } from './printed.ts'

const CUTS = 50
const TAILED = byForm({ short: 1000, long: 4000 })
const LINES = byForm({ short: 10_000, long: 100_000 })
/** Lines a second: faults are made while lines are left. */
const RATE = byForm({ short: 5000, long: 10_000 })
const TASKS = 50
/** After so many lines one is refused. */
const REFUSED_EVERY = 200
const TEST_MS = byForm({ short: 120_000, long: 600_000 })

let system: FlowSystem
const random = createRandom(randomSeed('cli flows'))

/** Runs while others are tested. */
let tailing: Promise<Tailed>

beforeAll(async () => {
  system = await startFlowSystem()
  tailing = tailThroughCuts()
  // Its test awaits it.
  tailing.catch(() => undefined)
}, 120_000)
afterAll(async () => await system?.close(), 60_000)

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
      await system.post(Array.from({ length: 20 }, (_, at) => numbered('tailed', n + at)))
      await eventually(
        'the tail is cut or shows the last event',
        () => proxy.cuts > cuts || cli.stdout().includes(`"n":${n + 19}}`),
        { timeoutMs: TEST_MS },
      )
    }
    await system.post([{ type: 'task.complete', task_id: 'tailed', data: {} }])
    return { code: await cli.exited, events: objectsOf(cli.stdout()), cuts: proxy.cuts }
  } finally {
    await proxy.close()
  }
}

describe('events tail', () => {
  test('ends with --no-follow when it has caught up, and with 1 where --until was not met', async () => {
    await system.post([numbered('ended', 1), numbered('ended', 2)])
    const args = ['events', 'tail', '--task', 'ended', '--since', '1h']
    const once = system.run(system.newHome(), [...args, '--no-follow'])
    expect(await once.exited).toBe(0)
    expect(objectsOf(once.stdout())).toHaveLength(2)
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

/** An event without a message, which the server refuses. */
function refusedEvent(n: number): object {
  return { type: 'task.progress', task_id: 'sent-refused', data: { n } }
}

describe('events send', () => {
  test(
    'neither misses nor duplicates a line, accepted or refused, when it is killed and the server is started twice',
    async () => {
      const home = system.newHome()
      const [file, rejects] = [join(home, 'events.ndjson'), join(home, 'refused.ndjson')]
      const refused = Array.from({ length: LINES / REFUSED_EVERY }, (_, n) => JSON.stringify(refusedEvent(n)))
      const lines = Array.from({ length: LINES }, (_, n) => [
        JSON.stringify(numbered(`sent-${n % TASKS}`, n)),
        ...(n % REFUSED_EVERY === 0 ? [refused[n / REFUSED_EVERY]] : []),
      ]).flat()
      writeFileSync(file, `${lines.join('\n')}\n`)
      const send = () => system.run(home, ['events', 'send', '-f', file, '--rate', String(RATE), '--rejects', rejects])
      const first = send()
      const sentBy = async (share: number) =>
        await eventually(
          `${Math.round(LINES * share)} events are listed`,
          async () => (await system.count('sent-')) >= LINES * share,
          { timeoutMs: TEST_MS },
        )
      await sentBy(0.1 + random() * 0.2)
      await eventually('a line is saved', () => savedLine(home) > 0)
      first.kill('SIGKILL')
      await first.exited
      const second = send()
      for (const share of [0.4, 0.7]) {
        await sentBy(share)
        await system.killServer()
        await system.startServer()
      }
      expect({ code: await second.exited, stderr: second.stderr() }).toMatchObject({ code: 1 })
      const [result] = objectsOf(second.stdout())
      expect(result).toMatchObject({ object: 'send_result', accepted: LINES, refused: refused.length })
      expect(result?.['resumed_after_line']).toBeGreaterThan(0)
      expect(readFileSync(rejects, 'utf8')).toBe(refused.map((line) => `${line}\n`).join(''))
      await eventually('all events are listed', async () => (await system.count('sent-')) >= LINES)
      const byTask = await system.numbers('sent-')
      const expected = Array.from({ length: TASKS }, (_, task) => [
        `sent-${task}`,
        Array.from({ length: LINES / TASKS }, (__, at) => task + at * TASKS),
      ])
      expect(Object.fromEntries(byTask)).toEqual(Object.fromEntries(expected))

      const third = send()
      expect(await third.exited).toBe(1)
      expect(objectsOf(third.stdout())).toMatchObject([{ accepted: LINES, refused: refused.length }])
      expect(await system.count('sent-')).toBe(LINES)
      expect(readFileSync(rejects, 'utf8').split('\n')).toHaveLength(refused.length + 1)
    },
    TEST_MS,
  )

  test('keeps refused lines byte for byte, and takes standard input', async () => {
    const home = system.newHome()
    const [bad, broken] = ['{"type":"task.progress","task_id":"t","data":{}}', '{"type"']
    const good = '{"type":"task.progress","task_id":"piped","data":{"message":"m","n":1.0}}'
    const rejects = join(home, 'refused.ndjson')
    const cli = system.run(home, ['events', 'send', '--rejects', rejects], {}, `${bad}\n\n${good}\n${broken}`)
    expect(await cli.exited).toBe(1)
    expect(objectsOf(cli.stdout())).toEqual([{ object: 'send_result', accepted: 1, refused: 2, resumed_after_line: 0 }])
    expect(readFileSync(rejects, 'utf8')).toBe(`${bad}\n${broken}\n`)
    expect(objectsOf(cli.stderr())).toMatchObject([
      { refused: { line: 1, pointer: '/data/message' } },
      { refused: { line: 4 } },
    ])
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
