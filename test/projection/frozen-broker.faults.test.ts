import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { newEventId } from '@ariftly/events'
import { byForm, eventually } from '@ariftly/testkit'
import { startOwnSystem, type OwnSystem } from './own-system.ts'

/** The long form has the times of production. In both the broker is frozen for longer than any timeout. */
const FROZEN_MS = byForm({ short: 13_000, long: 45_000 })
const TIMES = byForm<Readonly<Record<string, string>>>({
  short: { KAFKA_SESSION_TIMEOUT_MS: '6000', INGEST_PRODUCE_TIMEOUT_MS: '1500' },
  long: {},
})
const CLIENTS = 4
/** Pauses of a client after an acceptance and after a refusal. */
const [NEXT_MS, RETRY_MS] = [5, 50]
const BATCH = 10

let system: OwnSystem

beforeAll(async () => {
  system = await startOwnSystem(TIMES)
})

afterAll(() => system?.close())

interface Entry {
  readonly id: string
  readonly status: string
}

/** Posts without pause until it is stopped; events answered `retry` are posted again with the same ids. */
function startPoster() {
  const accepted = new Set<string>()
  const posted = new Set<string>()
  const end = new AbortController()

  async function run(): Promise<void> {
    let waiting: string[] = []
    while (!end.signal.aborted || waiting.length > 0) {
      if (waiting.length === 0) waiting = Array.from({ length: BATCH }, () => newEventId(Date.now()))
      for (const id of waiting) posted.add(id)
      const entries = await post(waiting)
      for (const { id, status } of entries) if (status === 'accepted') accepted.add(id)
      waiting = waiting.filter((id) => !accepted.has(id))
      await delay(waiting.length === 0 ? NEXT_MS : RETRY_MS)
    }
  }

  const running = run()
  return { accepted, posted, end: () => (end.abort(), running) }
}

async function post(ids: readonly string[]): Promise<readonly Entry[]> {
  const events = ids.map((id, index) => ({ id, type: 'task.created', task_id: `t${index % 5}`, data: { title: id } }))
  const response = await fetch(`${system.ingest.url}/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${system.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(events),
  })
  const body = (await response.json()) as Partial<Record<'data' | 'events', readonly Entry[]>>
  return body.data ?? body.events ?? []
}

test(
  'a broker frozen for longer than every timeout loses no accepted event and makes no duplicate',
  async () => {
    const posters = Array.from({ length: CLIENTS }, startPoster)
    await eventually('50 events of each client are accepted', () => posters.every(({ accepted }) => accepted.size > 50))
    system.stack.kafka?.pause()
    await delay(FROZEN_MS)
    const before = posters.map(({ accepted }) => accepted.size)
    system.stack.kafka?.resume()
    await eventually('50 more events of each client are accepted', () =>
      posters.every(({ accepted }, i) => accepted.size > (before[i] ?? 0) + 50),
    )
    await Promise.all(posters.map(({ end }) => end()))
    const accepted = posters.flatMap((poster) => [...poster.accepted])
    await eventually('all events are projected', async () => (await storedIds()).length >= accepted.length)
    const stored = await storedIds()
    const posted = new Set(posters.flatMap((poster) => [...poster.posted]))
    expect(accepted.filter((id) => !stored.includes(id))).toEqual([])
    expect(stored.filter((id) => !posted.has(id))).toEqual([])
    expect(stored.length).toBe(new Set(stored).size)
  },
  FROZEN_MS + 160_000,
)

async function storedIds(): Promise<readonly string[]> {
  const { rows } = await system.world.admin.query<{ id: string }>(`SELECT data->>'title' AS id FROM events`)
  return rows.map(({ id }) => id)
}
