import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { Ariftly, type StreamItem } from '@ariftly/sdk'
import { filePositionStore } from '@ariftly/sdk/node'
import {
  byForm,
  createRandom,
  createWorld,
  eventually,
  keepCollectingGarbage,
  randomSeed,
  type ServiceProcess,
  type World,
} from '@ariftly/testkit'
import { startHoppingProxy } from '../support/hopping-proxy.ts'
import { mintEventId } from '../support/client-event-id.ts'
import { startBreakingProxy, type BreakingProxy } from './breaking-proxy.ts'
import { breakInAllWays, expectAllOnce, firstPart } from './outages.ts'
import { postNumbered } from './post-numbered.ts'
import { createSentRows, type SentRows } from './sent-rows.ts'
import type { SenderLeave, SenderOrder, SenderReport } from './sender-process.ts'

const EVENTS = byForm({ short: 20_000, long: 200_000 })
const TASKS = 160
const ATTEMPT_MS = byForm({ short: 2000, long: 10_000 })
const KILLS = byForm({ short: 3, long: 5 })
const STREAMED = byForm({ short: 600, long: 10_000 })
const CUTS = byForm({ short: 3, long: 50 })
/** A frame of the stream has at least so many bytes. */
const FRAME_BYTES_MIN = 300
const TEST_MS = byForm({ short: 120_000, long: 900_000 })

let world: World
let rows: SentRows
let apiKey: string
let ingest: ServiceProcess
let gateways: ServiceProcess[] = []
let proxy: BreakingProxy
const children: ChildProcess[] = []

beforeAll(async () => {
  world = await createWorld({ env: { DRAIN_MS: '0' } })
  rows = createSentRows(world)
  apiKey = await world.apiKey('acme')
  ;[ingest, ...gateways] = await Promise.all([
    world.startService('ingest'),
    world.startService('stream-gateway'),
    world.startService('stream-gateway'),
  ])
  await world.startService('projector')
  proxy = await startBreakingProxy(ingest.url)
}, 120_000)

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await proxy?.close()
  await world?.close()
}, 60_000)

function startSender(order: SenderOrder): ChildProcess {
  const execArgv = ['--conditions=source', '--conditions=@ariftly/source', '--import', 'tsx']
  const child = fork(join(import.meta.dirname, 'sender-process.ts'), [], { execArgv })
  children.push(child)
  child.send(order)
  return child
}

async function reportOf(child: ChildProcess): Promise<SenderReport> {
  const ended = once(child, 'exit').then(() => {
    throw new Error('the sender ended without a report')
  })
  const [report] = (await Promise.race([once(child, 'message'), ended])) as [SenderReport]
  return report
}

test(
  'outages lose, double and reorder no event, and memory stays bounded',
  async () => {
    const order = { url: proxy.url, apiKey, attemptMs: ATTEMPT_MS, tasks: TASKS, from: 0, to: EVENTS }
    const child = startSender({ ...order, upTo: firstPart(EVENTS) })
    const report = reportOf(child)
    await breakInAllWays({
      proxy,
      rows,
      prefix: 'task-',
      events: EVENTS,
      leave: (upTo) => child.send({ upTo } satisfies SenderLeave),
      timeoutMs: TEST_MS,
    })
    const { stats, unsent, grownMb, waitP99Ms } = await report
    expect({ unsent, sent: stats.sent, accepted: stats.accepted }).toEqual({
      unsent: 0,
      sent: EVENTS,
      accepted: EVENTS,
    })
    process.stderr.write(
      `sdk outages: ${JSON.stringify({ broken: proxy.broken, grownMb, waitP99Ms, retries: stats.retries })}\n`,
    )
    await expectAllOnce(rows, 'task-', EVENTS)
    expect(grownMb).toBeLessThanOrEqual(64)
  },
  TEST_MS,
)

test(
  'a process with a spool that is killed again and again loses no event that it has taken',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sdk-spool-'))
    const taken = join(folder, 'taken')
    const events = KILLS * 500
    const ids = Array.from({ length: events }, () => mintEventId(Date.now()))
    const takenSoFar = () => (existsSync(taken) ? readFileSync(taken, 'utf8').split('\n').length - 1 : 0)
    const order = { url: proxy.url, apiKey, attemptMs: ATTEMPT_MS, tasks: 7 }
    for (let kill = 0; kill <= KILLS; kill += 1) {
      const isLast = kill === KILLS
      // Half of the kills find a server that answers, half one that is down.
      proxy.break(kill % 2 === 0 && !isLast ? 'unavailable' : 'none')
      const from = takenSoFar()
      const child = startSender({ ...order, from, to: events, spool: { folder: join(folder, 'spool'), taken, ids } })
      if (isLast) {
        const { unsent } = await reportOf(child)
        expect(unsent).toBe(0)
      } else {
        // On a busy machine a sender may have ended before it is checked.
        const exited = once(child, 'exit')
        await eventually('200 more events are taken', () => takenSoFar() >= Math.min(events, from + 200), {
          everyMs: 5,
        })
        child.kill('SIGKILL')
        await exited
      }
    }
    await eventually('all events are projected', async () => (await rows.numbersOf(ids)).length >= events)
    expect(await rows.numbersOf(ids)).toEqual(Array.from({ length: events }, (_, n) => n))
  },
  TEST_MS,
)

test(
  'a stream gives each event once and in order, over cuts, restarts and the death of a gateway',
  async () => {
    const random = createRandom(randomSeed('cuts of the SDK'))
    // Each client reads a quarter of the events. The killed gateway ends one connection without a cut, so the cuts of three quarters are certain.
    const maxBytes = ((STREAMED / 4) * FRAME_BYTES_MIN) / Math.ceil(CUTS / 3)
    const way = await startHoppingProxy({
      ports: gateways.map(({ port }) => port),
      random,
      bytes: { min: maxBytes / 2, max: maxBytes },
    })
    const positionStore = filePositionStore(join(mkdtempSync(join(tmpdir(), 'sdk-position-')), 'position'))
    const seen: number[] = []
    const restarts = [0.25, 0.5, 0.75].map((part) => Math.floor(STREAMED * part))
    const after = new Date().toISOString()
    const writer = new Ariftly({ baseUrl: ingest.url, apiKey })
    const stopCollecting = keepCollectingGarbage(200)
    try {
      const writing = postNumbered(writer, STREAMED)
      way.setCutting(true)
      while (seen.length < STREAMED) {
        const client = new Ariftly({ baseUrl: way.url, apiKey })
        const stream = client.events.stream({ task_id: 'streamed', after, positionStore })
        for await (const item of stream) {
          seen.push(numberOf(item))
          if (seen.length === Math.floor(STREAMED * 0.6)) gateways[0]?.kill('SIGKILL')
          // The end of a process in good order: the loop ends, its position is saved.
          if (restarts.includes(seen.length) || seen.length === STREAMED) stream.close()
        }
        await client.close()
      }
      await writing
    } finally {
      stopCollecting()
      await writer.close()
      await way.close()
    }
    expect(seen).toEqual(Array.from({ length: STREAMED }, (_, n) => n))
    process.stderr.write(`sdk stream: ${way.cuts} cuts\n`)
    expect(way.cuts).toBeGreaterThanOrEqual(CUTS)
  },
  TEST_MS,
)

function numberOf(item: StreamItem): number {
  return item.type === 'task.progress' ? Number(item.data['n']) : Number.NaN
}
