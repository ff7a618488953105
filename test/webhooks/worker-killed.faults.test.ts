import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { typeIdToUuid } from '@ariftly/events'
import {
  byForm,
  createRandom,
  eventually,
  randomSeed,
  startOwnStack,
  startReceiver,
  type Receiver,
} from '@ariftly/testkit'
import { createWorkerWorld, type WorkerWorld } from './worker-world.ts'

const KILLS = byForm({ short: 3, long: 20 })
const EVENTS_PER_KILL = 60
const PER_ENDPOINT = 10
const HOUR_MS = 3_600_000
const SLOW_ANSWER = { delayMs: 40 } as const

describe('workers that run as processes', () => {
  let stack: Awaited<ReturnType<typeof startOwnStack>>
  let fixture: WorkerWorld
  let receiver: Receiver
  const random = createRandom(randomSeed('killed workers'))

  beforeAll(async () => {
    stack = await startOwnStack()
    fixture = await createWorkerWorld(undefined, stack.addresses)
  }, 240_000)
  afterAll(async () => {
    await fixture?.close()
    await stack?.close()
  })
  beforeEach(async () => {
    receiver = await startReceiver()
    receiver.respondWith(() => SLOW_ANSWER)
  })
  afterEach(() => receiver.close())

  test(
    `killed ${KILLS} times in mid-delivery: nothing is missing, and only deliveries without a recorded outcome are sent twice`,
    async () => {
      const webhook = await fixture.subscribe({ tenant: 'killed', url: receiver.url })
      receiver.respondWith(() => ({ delayMs: 120 }))
      const events = await fixture.post('killed', KILLS * EVENTS_PER_KILL)
      /** How many kills fell between the sending of an event and the record of its outcome. */
      const unrecorded = new Map<string, number>()
      for (let kill = 0; kill < KILLS; kill += 1) {
        // Not until it is ready: it delivers pending deliveries immediately, and joins its dead predecessor's group later.
        const worker = await fixture.startProcess({}, { untilReady: false })
        const target = receiver.requests.length + Math.floor((random() * EVENTS_PER_KILL) / 2)
        await receiver.received(target + 1)
        worker.kill('SIGKILL')
        await worker.exited
        await backendsGone()
        const lost = await sentWithoutRecord(webhook)
        expect(lost.length).toBeLessThanOrEqual(PER_ENDPOINT)
        for (const id of lost) unrecorded.set(id, (unrecorded.get(id) ?? 0) + 1)
      }
      const last = await fixture.startProcess()
      await fixture.reaches(webhook, { delivered: events.length })
      last.kill('SIGTERM')
      expect(await last.exited).toBe(0)

      const times = timesReceived(receiver)
      expect(new Set(times.keys())).toEqual(new Set(events.map(({ id }) => id)))
      const tooOften = [...times].filter(([id, count]) => count > 1 + (unrecorded.get(id) ?? 0))
      expect(tooOften).toEqual([])
    },
    120_000 + KILLS * 60_000,
  )

  test('a worker that was stopped for longer than its lease loses and repeats nothing when it continues', async () => {
    const [stopped] = [await fixture.startProcess(), await fixture.startProcess()]
    const webhook = await fixture.subscribe({ tenant: 'stopped', url: receiver.url })
    await fixture.post('stopped', 200)
    await receiver.received(30)
    stopped.kill('SIGSTOP')
    // Its heartbeat stops: the other one takes over its partitions and deliveries.
    await fixture.reaches(webhook, { delivered: 200 })
    const sentBefore = receiver.requests.length
    expect(sentBefore).toBeLessThanOrEqual(200 + 2 * PER_ENDPOINT)
    stopped.kill('SIGCONT')
    await eventually('the stopped worker is ready', async () => (await fetch(`${stopped.url}/readyz`)).status === 200)
    const more = await fixture.post('stopped', 50)
    await fixture.reaches(webhook, { delivered: 250 })
    expect(await fixture.states(webhook)).toEqual({ delivered: 250 })
    expect(receiver.requests.length).toBeLessThanOrEqual(sentBefore + 50 + PER_ENDPOINT)
    const times = timesReceived(receiver)
    for (const { id } of more) expect(times.get(id)).toBe(1)
    await endAll()
  }, 240_000)

  test('a restart of Postgres loses nothing, and repeats at most the running attempts', async () => {
    const worker = await fixture.startProcess()
    const webhook = await fixture.subscribe({ tenant: 'restarted', url: receiver.url })
    const events = await fixture.post('restarted', 200)
    await receiver.received(50)
    await stack.postgres?.restart()
    await fixture.reaches(webhook, { delivered: 200 })
    const times = timesReceived(receiver)
    expect(new Set(times.keys())).toEqual(new Set(events.map(({ id }) => id)))
    expect(receiver.requests.length).toBeLessThanOrEqual(200 + PER_ENDPOINT)
    worker.kill('SIGTERM')
    expect(await worker.exited).toBe(0)
  }, 240_000)

  test('a clock that jumps an hour ahead and two back hurries, delays and repeats nothing', async () => {
    const clock = join(mkdtempSync(join(tmpdir(), 'ariftly-clock-')), 'ahead')
    const preload = pathToFileURL(join(import.meta.dirname, '../support/jumping-clock.mjs')).href
    await fixture.startProcess({ NODE_OPTIONS: `--import=${preload}`, JUMPING_CLOCK_FILE: clock })
    const webhook = await fixture.subscribe({ tenant: 'clock', url: receiver.url })
    let refused = 0
    receiver.respondWith(() => (refused++ % 5 === 0 ? { status: 503 } : SLOW_ANSWER))
    const events = await fixture.post('clock', 150)
    for (const [aheadMs, share] of [
      [HOUR_MS, 30],
      [-HOUR_MS, 80],
      [0, 130],
    ] as const) {
      await receiver.received(share)
      writeFileSync(clock, String(aheadMs))
    }
    await fixture.reaches(webhook, { delivered: 150 })
    const accepted = receiver.requests.length - Math.ceil(receiver.requests.length / 5)
    expect(accepted).toBe(150)
    expect(new Set(timesReceived(receiver).keys()).size).toBe(events.length)
    // The jumps were seen: signatures carry the time of the process.
    const signedS = receiver.requests.map(({ headers, atMs }) => Number(headers['webhook-timestamp']) - atMs / 1000)
    expect(Math.max(...signedS)).toBeGreaterThan(3500)
    expect(Math.min(...signedS)).toBeLessThan(-3500)
    await endAll()
  }, 240_000)

  test('two matchers on one partition write each delivery once', async () => {
    const [one, two] = ['one', 'two'].map((name) => `${fixture.world.env['KAFKA_GROUP_PREFIX']}-${name}`)
    // None of the two is dead here, however late its heartbeat is.
    const env = { WEBHOOK_WORKER_DEAD_MS: '60000' }
    await fixture.startProcess({ ...env, KAFKA_GROUP_PREFIX: one ?? '' })
    await fixture.startProcess({ ...env, KAFKA_GROUP_PREFIX: two ?? '' })
    const webhook = await fixture.subscribe({ tenant: 'twins', url: receiver.url })
    receiver.respondWith(() => ({}))
    for (let batch = 0; batch < 6; batch += 1) await fixture.post('twins', 50)
    await fixture.reaches(webhook, { delivered: 300 })
    expect(await fixture.states(webhook)).toEqual({ delivered: 300 })
    expect(receiver.requests).toHaveLength(300)
    await endAll()
  }, 240_000)

  async function endAll(): Promise<void> {
    for (const process of fixture.processes) process.kill('SIGKILL')
    await Promise.all(fixture.processes.map(({ exited }) => exited))
  }

  /** What a dead process had sent may still be on its way through Postgres. */
  async function backendsGone(): Promise<void> {
    await eventually("the worker's sessions are closed", async () => {
      const { rows } = await fixture.world.admin.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name LIKE 'ariftly-webhook-%'`,
      )
      return rows[0]?.n === 0
    })
  }

  async function sentWithoutRecord(webhook: string): Promise<readonly string[]> {
    const { rows } = await fixture.world.admin.query<{ id: string }>(
      `SELECT event_id AS id FROM deliveries WHERE webhook_id = $1 AND state = 'queued' AND started_attempt = attempt`,
      [typeIdToUuid('whk', webhook)],
    )
    const open = new Set(rows.map(({ id }) => id))
    const sent = new Set(receiver.requests.map(({ headers }) => String(headers['webhook-id'])))
    return [...sent].filter((id) => open.has(typeIdToUuid('evt', id)))
  }
})

function timesReceived(receiver: Receiver): ReadonlyMap<string, number> {
  const times = new Map<string, number>()
  for (const { headers } of receiver.requests) {
    const id = String(headers['webhook-id'])
    times.set(id, (times.get(id) ?? 0) + 1)
  }
  return times
}
