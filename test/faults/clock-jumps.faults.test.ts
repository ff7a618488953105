import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { eventIdMs, typeIdToUuid } from '@ariftly/events'
import { createWorld, eventually, type ServiceProcess, type World } from '@ariftly/testkit'
import { mintEventId } from '../support/client-event-id.ts'

/** One more than the window of readers has. */
const JUMP_MS = 11 * 60_000
const CLOCKS_AGREE_MS = 60_000
/** How long the clock of ingest stays where it was set. */
const STAY_MS = 1_500
/** Pause between two posts of a client. */
const EVERY_MS = 10

let folder: string
let clock: string
let world: World
let apiKey: string
let ingest: ServiceProcess

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'clock-'))
  clock = join(folder, 'clock')
  world = await createWorld()
  apiKey = await world.apiKey('north')
  await world.startService('projector')
  setClock(JUMP_MS)
  const preload = pathToFileURL(join(import.meta.dirname, '../support/jumping-clock.mjs')).href
  const env = { NODE_OPTIONS: `--import=${preload}`, JUMPING_CLOCK_FILE: clock }
  ingest = await world.startService('ingest', env)
})

afterAll(async () => {
  await world?.close()
  rmSync(folder, { recursive: true, force: true })
})

test('an ingest that starts with a clock eleven minutes ahead acknowledges no event that readers do not take', async () => {
  const first = await post([newEvent()])
  expect(first).toMatchObject({ status: 503, code: 'clock_skew', entries: [{ status: 'retry' }] })
  const [again = ''] = first.entries.map(({ id }) => id)
  expect(Math.abs(eventIdMs(again) - Date.now())).toBeLessThan(CLOCKS_AGREE_MS)
  const own = mintEventId(Date.now())
  const second = await post([newEvent(again), newEvent(own), newEvent()])
  expect(second.entries.map(({ status }) => status)).toEqual(['accepted', 'accepted', 'accepted'])
  expect(second.entries.slice(0, 2).map(({ id }) => id)).toEqual([again, own])
  await eventually('all events', async () => (await missingOf(second.entries.map(({ id }) => id))).length === 0)
  expect(await clockState()).toBe('more than a minute off a broker')
})

test('under load a clock that jumps ahead, back and behind loses no acknowledged event, and refuses none', async () => {
  setClock(0)
  await eventually('the clock is ok', async () => (await clockState()) === 'ok')
  const clients = [startClient(() => undefined), startClient(() => mintEventId(Date.now()))]
  await eventually('all clients have accepted events', () => clients.every(({ accepted }) => accepted.size > 50))
  for (const aheadMs of [JUMP_MS, 0, -JUMP_MS, 0]) {
    const before = clients.map(({ accepted }) => accepted.size)
    const setMs = performance.now()
    setClock(aheadMs)
    await delay(STAY_MS)
    await eventually('the jump is seen', async () => ((await clockState()) === 'ok') === (aheadMs === 0))
    await eventually('all clients have accepted more events', () =>
      clients.every(({ accepted }, at) => accepted.size > (before[at] ?? 0) + 50),
    )
    expect(performance.now() - setMs).toBeLessThan(STAY_MS + 20_000)
  }
  await Promise.all(clients.map((client) => client.end()))
  const accepted = clients.flatMap((client) => Array.from(client.accepted))
  await eventually('all events are projected', async () => (await missingOf(accepted)).length === 0)
})

function setClock(aheadMs: number): void {
  writeFileSync(clock, String(aheadMs))
}

/** The events of these ids that are not in Postgres. */
async function missingOf(ids: readonly string[]): Promise<readonly string[]> {
  const uuids = ids.map((id) => typeIdToUuid('evt', id))
  const { rows } = await world.admin.query<{ id: string }>(
    'SELECT id FROM unnest($1::uuid[]) AS wanted (id) WHERE NOT EXISTS (SELECT FROM events WHERE events.id = wanted.id)',
    [uuids],
  )
  return rows.map(({ id }) => id)
}

async function clockState(): Promise<string | undefined> {
  const answer = await fetch(`${ingest.url}/readyz`)
  return ((await answer.json()) as { checks: Record<string, string> }).checks['clock']
}

function newEvent(id?: string): object {
  return { type: 'task.complete', task_id: 'task_1', data: { artifact_count: 1 }, ...(id === undefined ? {} : { id }) }
}

/** A client that posts without pause, and posts `retry` events again with the ids of the answer. */
function startClient(newId: () => string | undefined) {
  const accepted = new Set<string>()
  const end = new AbortController()

  async function run(): Promise<void> {
    let waiting: (string | undefined)[] = []
    while (!end.signal.aborted || waiting.length > 0) {
      if (waiting.length === 0) waiting = Array.from({ length: 5 }, newId)
      const { status, entries } = await post(waiting.map(newEvent))
      if (entries.length !== waiting.length) throw new Error(`an answer ${status} without entries`)
      if (entries.some((entry) => entry.status === 'refused')) throw new Error('an event was refused')
      for (const entry of entries) if (entry.status === 'accepted') accepted.add(entry.id)
      waiting = entries.filter((entry) => entry.status === 'retry').map(({ id }) => id)
      await delay(EVERY_MS)
    }
  }

  const running = run()
  running.catch(() => {}) // Reported by `end`.
  return {
    accepted,
    async end() {
      end.abort()
      await running
    },
  }
}

interface PostedEntry {
  readonly id: string
  readonly status: string
}

async function post(events: readonly object[]) {
  const answer = await fetch(`${ingest.url}/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(events),
  })
  const body = (await answer.json()) as { code?: string } & Partial<Record<'data' | 'events', readonly PostedEntry[]>>
  return { status: answer.status, code: body.code, entries: body.data ?? body.events ?? [] }
}
