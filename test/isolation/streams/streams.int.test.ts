import { connect, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { newEventId, type LogEvent } from '@ariftly/events'
import { createWorld, eventually, openStream, type OpenStream, type ServiceProcess, type World } from '@ariftly/testkit'
import { numbered, numbersOf } from '../../support/numbered-events.ts'

/*
 * One tenant (`rude`) or a caller without a key attacks a gateway, seen from outside; what another tenant (`calm`) gets
 * meanwhile is bounded.
 */

const MIB = 1024 * 1024
const BUDGET_BYTES = 16 * MIB
/** Far below the 2 GiB of the Kubernetes manifests: what all attacks of this file may add. */
const MEMORY_MAX = 700 * MIB

let world: World
let calmKey: string
let rudeKey: string
let gateway: ServiceProcess
const opened: OpenStream[] = []
const sockets: Socket[] = []

beforeAll(async () => {
  const env = {
    DRAIN_MS: '0',
    RING_BYTES_MAX: String(MIB),
    STREAMS_UNSENT_BYTES_MAX: String(BUDGET_BYTES),
  }
  world = await createWorld({ env })
  ;[calmKey, rudeKey] = await Promise.all([world.apiKey('calm'), world.apiKey('rude')])
  ;[gateway] = await Promise.all([world.startService('stream-gateway'), world.startService('projector')])
})

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const stream of opened.splice(0)) await stream.close()
})

afterAll(() => world?.close())

async function open(query: string, apiKey: string): Promise<OpenStream> {
  const url = `${gateway.url}/v1/events/stream${query}`
  const stream = await openStream((signal) => fetch(url, { headers: { authorization: `Bearer ${apiKey}` }, signal }))
  opened.push(stream)
  return stream
}

/** A stream whose client never reads. */
async function openUnread(query: string): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: gateway.port })
  sockets.push(socket)
  socket.on('error', () => undefined)
  socket.write(`GET /v1/events/stream${query} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${rudeKey}\r\n\r\n`)
  await new Promise((resolve) => socket.once('data', resolve))
  return socket.pause()
}

function unsentBytes(): Promise<number> {
  return gateway.metric('ariftly_stream_unsent_bytes')
}

/** Memory outside of V8's heap: of Buffers. */
function bufferBytes(): Promise<number> {
  return gateway.metric('ariftly_nodejs_external_memory_bytes ')
}

/** The calm tenant gets an event that is written now; the milliseconds that it takes. */
async function deliveryMs(stream: OpenStream, number: number): Promise<number> {
  const startedMs = performance.now()
  const before = stream.messages.length
  await world.append([numbered('t-calm', number, { tenant: 'calm' })])
  await eventually('the event is streamed', () => stream.messages.length > before, { everyMs: 5 })
  return performance.now() - startedMs
}

async function postWithoutKey(query: string, form: string) {
  const response = await fetch(`${gateway.url}/v1/events/stream?${query}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: form,
  })
  return { status: response.status, bytes: (await response.arrayBuffer()).byteLength }
}

describe('callers without a key', () => {
  test('that send thousands of parameters get short refusals, and hold no stream up', async () => {
    const calm = await open('?task_id=t-calm', calmKey)
    const pieces = Array.from({ length: 3000 }, (_, n) => `${n}%`).join('&')
    const answers: { readonly status: number; readonly bytes: number }[] = []
    const waits: number[] = []
    for (let round = 0; round < 10; round += 1) {
      const attacks = Array.from({ length: 10 }, () =>
        postWithoutKey(`token=x&${pieces.slice(0, 8000)}`, pieces.slice(0, 16_000)),
      )
      waits.push(await deliveryMs(calm, round))
      answers.push(...(await Promise.all(attacks)))
    }
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]))
    expect(Math.max(...answers.map(({ bytes }) => bytes))).toBeLessThan(2048)
    expect(Math.max(...waits)).toBeLessThan(5000)
  })

  test('a key holder with as many gets at most 16 KiB', async () => {
    const form = Array.from({ length: 32 }, (_, n) => `${n}${'x'.repeat(400)}=%`).join('&')
    const response = await fetch(`${gateway.url}/v1/events/stream`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: `Bearer ${rudeKey}` },
      body: form,
    })
    const body = await response.text()
    expect(response.status).toBe(400)
    expect(body.length).toBeLessThan(16 * 1024)
    expect((JSON.parse(body) as { errors: unknown[] }).errors).toHaveLength(10)
  })
})

test('streams that read nothing, each with a filter of its own, cost no more than the budget of the process', async () => {
  const calm = await open('?task_id=t-calm', calmKey)
  const types = [
    'task.progress',
    'task.created',
    'task.complete',
    'task.failed',
    'tool_call.executed',
    'approval.requested',
  ]
  const filters = Array.from({ length: 60 }, (_, n) => {
    const wanted = types.filter((type, bit) => type === 'task.progress' || (n & (1 << bit)) !== 0)
    return `?types=${wanted.join(',')}&envelope=${n % 2 === 0 ? 'true' : 'false'}`
  })
  await Promise.all(filters.map(openUnread))
  const text = 'x'.repeat(8000)
  const waits: number[] = []
  let mostUnsent = 0
  for (let round = 0; round < 10; round += 1) {
    await world.append(
      Array.from({ length: 100 }, (_, n) => {
        const data = Buffer.from(`{"task_id":"t-rude-${n % 5}","message":"${text}","n":${round * 100 + n}}`)
        return numbered(`t-rude-${n % 5}`, n, { tenant: 'rude', data })
      }),
    )
    waits.push(await deliveryMs(calm, round))
    mostUnsent = Math.max(mostUnsent, await unsentBytes())
  }
  expect(await gateway.metric('ariftly_stream_ended_total{why="over_budget"}')).toBeGreaterThan(0)
  // One block of each stream may be added before the budget is checked.
  expect(mostUnsent).toBeLessThan(BUDGET_BYTES + 60 * 128 * 1024)
  expect(gateway.residentBytes()).toBeLessThan(MEMORY_MAX)
  expect(Math.max(...waits)).toBeLessThan(8000)
  expect(calm.messages.length).toBe(10)
})

test('a reader that reads nothing keeps its own unsent frames in memory, and none of other tenants', async () => {
  const calm = await open('?agent=calm', calmKey)
  await openUnread('?agent=slow')
  // What the kernel takes is not in the memory of the gateway: until it takes no more.
  let unsent = 0
  await eventually(
    'the slow reader has unsent bytes',
    async () => {
      const before = unsent
      unsent = await unsentBytes()
      if (unsent === 0) await world.append(Array.from({ length: 10 }, () => slowEvent(60_000)))
      return unsent > 0 && unsent === before
    },
    { everyMs: 200 },
  )
  const before = await bufferBytes()
  let posted = 0
  /** 256 KiB of events of the calm tenant. */
  function calmEvents() {
    posted += 4
    const data = textOf('t-large-events', 64 * 1024)
    return Array.from({ length: 4 }, () => numbered('t-large-events', 0, { tenant: 'calm', agent: 'calm', data }))
  }
  for (let round = 0; round < 160; round += 1) {
    await world.append([...calmEvents(), slowEvent(10)])
    await eventually('the calm stream has all events', () => calm.messages.length === posted, { everyMs: 1 })
  }
  expect(await unsentBytes()).toBeGreaterThan(unsent)
  // Buffers are freed when V8 collects garbage, which it does while there is work.
  await eventually('the buffer is small again', async () => {
    await world.append(calmEvents())
    return (await bufferBytes()) - before < 24 * MIB
  })
}, 150_000)

function slowEvent(bytes: number): LogEvent {
  return numbered('t-slow', 0, { tenant: 'rude', agent: 'slow', data: textOf('t-slow', bytes) })
}

/** The data of an event of a task, with so many bytes of text. */
function textOf(taskId: string, bytes: number): Buffer {
  return Buffer.from(`{"task_id":"${taskId}","message":"${'x'.repeat(bytes)}","n":0}`)
}

test('a tenant that posts old events gets each once, and delays no stream of another tenant', async () => {
  const oldMs = Date.now() - 7_200_000
  const reposted = numbered('t-calm', 99, { tenant: 'calm', id: newEventId(oldMs) })
  const calm = await open('?task_id=t-calm', calmKey)
  const rude = await open('?agent=backfill', rudeKey)
  await world.append([reposted])
  await eventually('the calm stream has the event', () => calm.messages.length === 1)
  const backfill = Array.from({ length: 6000 }, (_, n) =>
    numbered(`t-old-${n % 24}`, n, { tenant: 'rude', agent: 'backfill', id: newEventId(oldMs + n) }),
  )
  const waits: number[] = []
  for (let at = 0; at < backfill.length; at += 1000) {
    await world.append(backfill.slice(at, at + 1000))
    waits.push(await deliveryMs(calm, at))
  }
  expect(Math.max(...waits)).toBeLessThan(8000)
  await eventually('the other stream has all old events', () => rude.messages.length >= backfill.length)
  // The first id of the calm tenant is known to Postgres alone by now.
  await eventually('few ids are held', async () => (await gateway.metric('ariftly_stream_remembered_ids')) <= 4096)
  await world.append([reposted])
  await deliveryMs(calm, 6000)
  expect(numbersOf(calm.messages)).toEqual([99, 0, 1000, 2000, 3000, 4000, 5000, 6000])
  expect(numbersOf(rude.messages).toSorted((a, b) => a - b)).toEqual(backfill.map((_, n) => n))
  // Each was looked up before it was shown.
  expect(await gateway.metric('ariftly_stream_unchecked_total')).toBe(0)
})

test('many streams through the history of a large task do not keep another tenant from its own', async () => {
  const sealed = (await open('?agent=nobody', calmKey)).response
  expect(sealed.status).toBe(200)
  await world.append(Array.from({ length: 5 }, (_, n) => numbered('t-calm-old', n, { tenant: 'calm' })))
  for (let at = 0; at < 20_000; at += 1000) {
    await world.append(Array.from({ length: 1000 }, (_, n) => numbered('t-large', at + n, { tenant: 'rude' })))
  }
  await eventually(
    'all events are projected',
    async () => (await world.rowsOf('t-large')) === 20_000 && (await world.rowsOf('t-calm-old')) === 5,
  )
  const after = new Date(Date.now() - 3_600_000).toISOString()
  const rude = await Promise.all(Array.from({ length: 60 }, () => open(`?task_id=t-large&after=${after}`, rudeKey)))
  await eventually('the large stream has begun', () => rude.some(({ messages }) => messages.length > 0))
  const startedMs = performance.now()
  const calm = await open(`?task_id=t-calm-old&after=${after}`, calmKey)
  await eventually('the calm stream has its events', () => calm.messages.length === 5, { everyMs: 5 })
  const waitMs = performance.now() - startedMs
  expect(rude.some(({ messages }) => messages.length < 20_000)).toBe(true)
  expect(waitMs).toBeLessThan(4000)
  // Pages of a task this large are read by position: all of it arrives, in order.
  const [one, ...others] = rude
  await Promise.all(others.map((stream) => stream.close()))
  await eventually('the large stream has all events', () => one?.messages.length === 20_000)
  expect(numbersOf(one?.messages ?? [])).toEqual(Array.from({ length: 20_000 }, (_, n) => n))
}, 180_000)
