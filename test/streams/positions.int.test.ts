import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { createKeyring } from '@ariftly/keyring'
import { currentEpoch, openEpoch } from '@ariftly/store/projection'
import {
  createStreamReader,
  createWorld,
  DEADLINES,
  eventually,
  openStream,
  type OpenStream,
  type ServiceProcess,
  type World,
} from '@ariftly/testkit'
import { numbered, numbersOf } from '../support/numbered-events.ts'

const WAITING = 'ariftly_stream_subscribers{phase="waitingForProjection"}'

let world: World
let key: string
let projector: ServiceProcess
let gateway: ServiceProcess
const opened: OpenStream[] = []

beforeAll(async () => {
  world = await createWorld({ env: { RING_BYTES_MAX: '1048576', DRAIN_MS: '0' } })
  key = await world.apiKey('acme')
  ;[projector, gateway] = await Promise.all([world.startService('projector'), world.startService('stream-gateway')])
})

afterEach(async () => {
  for (const stream of opened.splice(0)) await stream.close()
})

afterAll(() => world?.close())

async function get(query: string, o: { from?: ServiceProcess; key?: string; signal?: AbortSignal } = {}) {
  const headers = { authorization: `Bearer ${o.key ?? key}`, accept: 'text/event-stream' }
  const url = `${(o.from ?? gateway).url}/v1/events/stream${query}`
  return await fetch(url, { headers, ...(o.signal === undefined ? {} : { signal: o.signal }) })
}

async function open(query: string, from?: ServiceProcess): Promise<OpenStream> {
  const stream = await openStream((signal) => get(query, { signal, ...(from === undefined ? {} : { from }) }))
  opened.push(stream)
  return stream
}

/** The id of a stream that starts now. */
async function idOfNow(): Promise<string> {
  const ids: (string | undefined)[] = []
  const reader = createStreamReader(({ id }) => ids.push(id))
  for await (const chunk of (await get('')).body ?? []) {
    reader.push(chunk as Uint8Array)
    if (ids[0] !== undefined) break
  }
  return ids[0] ?? ''
}

test('a stream whose position is neither in memory nor projected yet stays open, and gets all events when they are projected', async () => {
  const id = await idOfNow()
  const live = await open('?agent=holder')
  projector.kill('SIGSTOP')
  // More than the ring keeps: evicted records are only in the log.
  const events = Array.from({ length: 3000 }, (_, n) => numbered(`t-hold-${n % 5}`, n, { agent: 'holder' }))
  for (let at = 0; at < events.length; at += 250) await world.append(events.slice(at, at + 250))
  await eventually('the live stream has all events', () => live.messages.length === events.length)
  const behind = await open(`?agent=holder&last_event_id=${encodeURIComponent(id)}`)
  await eventually('one stream waits', async () => (await gateway.metric(WAITING)) === 1)
  expect(behind.response.status).toBe(200)
  expect(behind.messages).toEqual([])
  projector.kill('SIGCONT')
  await eventually('the stream has all events', () => behind.messages.length >= events.length)
  expect(numbersOf(behind.messages).toSorted(byNumber)).toEqual(events.map((_, n) => n))
  for (let task = 0; task < 5; task += 1) {
    const ofTask = numbersOf(behind.messages).filter((n) => n % 5 === task)
    expect(ofTask).toEqual(ofTask.toSorted(byNumber))
  }
})

function byNumber(a: number, b: number): number {
  return a - b
}

test('a tenant may have so many streams over all its keys, and no more', async () => {
  const small = await world.startService('stream-gateway', { STREAMS_PER_TENANT_MAX: '2' })
  await open('', small)
  const second = await world.apiKey('acme')
  const other = new AbortController()
  expect((await get('', { from: small, key: second, signal: other.signal })).status).toBe(200)
  const refused = await get('', { from: small })
  expect({ status: refused.status, retryAfter: refused.headers.get('retry-after') }).toEqual({
    status: 429,
    retryAfter: '5',
  })
  expect(await refused.json()).toMatchObject({ code: 'too_many_streams' })
  const elsewhere = new AbortController()
  const neighbour = await world.apiKey('umbrella')
  expect((await get('', { from: small, key: neighbour, signal: elsewhere.signal })).status).toBe(200)
  other.abort()
  elsewhere.abort()
  await eventually(
    'the gateway has room',
    async () => (await get('', { from: small, signal: AbortSignal.timeout(500) })).status === 200,
  )
})

test('a stream starts now when after= is in the future, as the clock of its client is ahead', async () => {
  await world.append([numbered('t-ahead', 1)])
  await eventually('the event is projected', async () => (await world.rowsOf('t-ahead')) === 1)
  const stream = await open(`?task_id=t-ahead&after=${new Date(Date.now() + 3_600_000).toISOString()}`)
  await world.append([numbered('t-ahead', 2), numbered('t-ahead', 3)])
  await eventually('2 events', () => stream.messages.length >= 2)
  expect(numbersOf(stream.messages)).toEqual([2, 3])
})

describe('a position that is older than the kept history', () => {
  test('by after= gets stream.reset, and the stream continues from the earliest', async () => {
    await world.append([numbered('t-old', 1)])
    await eventually('the event is projected', async () => (await world.rowsOf('t-old')) === 1)
    const stream = await open('?task_id=t-old&after=2020-01-01T00:00:00Z')
    await eventually('the reset and an event', () => stream.messages.length === 2)
    expect(stream.messages[0]).toMatchObject({ event: 'stream.reset' })
    expect(JSON.parse(stream.messages[0]?.data ?? '')).toMatchObject({
      reason: 'history_expired',
      requested: '2020-01-01T00:00:00.000Z',
    })
    expect(numbersOf(stream.messages.slice(1))).toEqual([1])
  })

  test('by id gets stream.reset, and the remaining events are shown', async () => {
    await world.append([numbered('t-expired', 1), numbered('t-expired', 2)])
    await eventually('2 events are projected', async () => (await world.rowsOf('t-expired')) === 2)
    const { rows } = await world.admin.query<{ partition: number; offset: number }>(
      `SELECT partition, "offset" FROM events WHERE task_id = 't-expired' ORDER BY "offset"`,
    )
    const at = rows[1] ?? { partition: 0, offset: 0 }
    // As if all before the second event had been appended 91 days ago.
    await world.admin.query(
      `INSERT INTO log_times (epoch, partition, "offset", appended_at) VALUES (1, $1, $2, now() - interval '91 days')`,
      [at.partition, at.offset],
    )
    const other = await world.startService('stream-gateway')
    const id = sealedOrigin()
    await eventually('the reset of the other gateway', async () => {
      const stream = await open(`?task_id=t-expired&last_event_id=${id}`, other)
      await eventually('a first message', () => stream.messages.length > 0, { timeoutMs: DEADLINES.local })
      expect(stream.messages[0]?.event).toBe('stream.reset')
      return true
    })
    const stream = await open(`?task_id=t-expired&last_event_id=${id}`, other)
    await eventually('the reset and an event', () => stream.messages.length === 2)
    expect(JSON.parse(stream.messages[0]?.data ?? '')).toMatchObject({ reason: 'history_expired', requested: id })
    expect(numbersOf(stream.messages.slice(1))).toEqual([2])
  })
})

/** An id of ours for the place before the first record, as a client may have kept it for long. */
function sealedOrigin(): string {
  const layout = Buffer.from([1, 1, 12, ...Array.from({ length: 12 }, () => 0)])
  const sealed = createKeyring(world.env['ENCRYPTION_KEYS'] ?? '').seal(layout, 'stream-id')
  return `v1.${sealed.toString('base64url')}`
}

test('a gateway whose topic has another number of partitions is not ready and says why, instead of routing wrongly', async () => {
  const wrong = await world.startService('stream-gateway', { KAFKA_PARTITIONS: '11' }, { untilReady: false })
  await eventually('the changed partition count', () => wrong.output().includes('partition_count_changed'))
  const readiness = await eventually('the gateway answers', async () => await fetch(`${wrong.url}/readyz`))
  expect(readiness.status).toBe(503)
  expect((await get('', { from: wrong })).status).toBe(503)
})

// The last ones, as the world is another one then.
test('when an operator opens another epoch, streams end, resume with their old id, get stream.reset, and continue', async () => {
  const stream = await open('?task_id=t-epoch')
  await world.append([numbered('t-epoch', 1)])
  await eventually('one event', () => stream.messages.length === 1)
  const id = stream.messages[0]?.id ?? ''
  const before = new Date().toISOString()
  projector.kill('SIGTERM')
  await projector.exited
  const { topic } = world.topics
  const { clusterId = '', topicId = '' } = (await currentEpoch(world.admin, topic)) ?? {}
  await openEpoch(world.admin, { topic, clusterId, topicId })
  projector = await world.startService('projector')
  await eventually('the stream is reset', async () => (await openAgain(id)).messages[0]?.event === 'stream.reset')
  const again = await openAgain(id)
  expect(JSON.parse(again.messages[0]?.data ?? '')).toMatchObject({ reason: 'log_changed', requested: id })
  await world.append([numbered('t-epoch', 2)])
  await eventually('the second event', () => numbersOf(again.messages.slice(1)).includes(2))
  // Part of what was appended since then is in the other log.
  const since = await open(`?task_id=t-epoch&after=${before}`)
  await eventually('the reset and the second event', () => numbersOf(since.messages.slice(1)).includes(2))
  expect(since.messages[0]?.event).toBe('stream.reset')
  expect(JSON.parse(since.messages[0]?.data ?? '')).toMatchObject({ reason: 'log_changed', requested: before })
})

test('while the log is another one, new streams are refused with log_identity_changed', async () => {
  await openEpoch(world.admin, { topic: world.topics.topic, clusterId: 'another cluster', topicId: 'test' })
  await eventually('streams are refused with the code', async () => {
    const stop = new AbortController()
    const response = await get('', { signal: stop.signal })
    const body = response.status === 503 ? ((await response.json()) as { code: string }) : undefined
    stop.abort()
    return body?.code === 'log_identity_changed'
  })
})

/** A stream of the task from an id, with its first message. */
async function openAgain(id: string): Promise<OpenStream> {
  const stream = await open(`?task_id=t-epoch&last_event_id=${id}`)
  await eventually('a first message', () => stream.messages.length > 0, { timeoutMs: DEADLINES.local })
  return stream
}
