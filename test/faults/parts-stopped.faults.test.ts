import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import {
  createWorld,
  eventually,
  openStream,
  startOwnStack,
  startReceiver,
  type OpenStream,
  type Receiver,
  type ServiceProcess,
  type World,
} from '@ariftly/testkit'
import { mintEventId } from '../support/client-event-id.ts'

const KNOWN_MS = 250
/** How long a backend may leave a question open; it is asked every other second, and a busy machine is late. */
const SILENT_MS = 10_000
const LATE = { timeoutMs: 3 * SILENT_MS }
const BACKEND_CHECKS = [
  ...['api', 'ingest', 'projector', 'stream-gateway', 'webhook-worker'].flatMap((service) => [
    `${service}.kafka`,
    `${service}.postgres`,
  ]),
  'webhook-worker.redis',
]

let stack: Awaited<ReturnType<typeof startOwnStack>>
let world: World
let apiKey: string
let system: ServiceProcess
let receiver: Receiver
let stream: OpenStream

beforeAll(async () => {
  stack = await startOwnStack()
  world = await createWorld({ addresses: stack.addresses, env: { DATA_DIR: join(stack.dataDir, 'standalone') } })
  system = await world.startService('standalone')
  apiKey = await world.apiKey('north')
  receiver = await startReceiver()
  const webhook = { url: receiver.url, events: ['task.complete'], secret: 'secret of the parts test' }
  expect((await request('/v1/webhooks', { method: 'POST', body: JSON.stringify(webhook) })).status).toBe(201)
  stream = await openStream((signal) => request('/v1/events/stream', { signal }))
})

afterAll(async () => {
  await stream?.close()
  await receiver?.close()
  await world?.close()
  await stack?.close()
})

describe('when a part is stopped', () => {
  test('Kafka: ingest answers 503 within 250 ms once the outage is detected, and takes the same events when Kafka is back', async () => {
    const id = mintEventId(Date.now())
    await stack.kafka?.stop()
    await eventually('events are refused', async () => (await post(id)).status === 503)
    const tookMs: number[] = []
    for (let attempt = 0; attempt < 10; attempt += 1) {
      const startedMs = performance.now()
      const refused = await post(id)
      tookMs.push(performance.now() - startedMs)
      expect(refused.status).toBe(503)
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
      expect(await refused.json()).toMatchObject({ status: 503, events: [{ index: 0, id, status: 'retry' }] })
    }
    // The median, as a busy machine may hold up one.
    expect(tookMs.toSorted((a, b) => a - b)[tookMs.length >> 1]).toBeLessThan(KNOWN_MS)
    expect((await request('/v1/events')).status).toBe(200)
    await stack.kafka?.start()
    await eventually('events are accepted', async () => (await post(id)).status === 202)
    await comesOut(id)
  })

  test('Postgres: events are still taken and streamed, and are listed and delivered when it is back', async () => {
    await stack.postgres?.stop()
    const ids = [mintEventId(Date.now()), mintEventId(Date.now() + 1)]
    for (const id of ids) expect((await post(id)).status).toBe(202)
    for (const id of ids) await eventually('the event is streamed', () => streamed(id))
    expect((await request('/v1/events')).status).toBe(503)
    await stack.postgres?.start()
    for (const id of ids) await comesOut(id)
  })

  test('Redis: everything but deliveries continues, and deliveries arrive when Redis is back, empty', async () => {
    await stack.redis?.stop()
    const id = mintEventId(Date.now())
    expect((await post(id)).status).toBe(202)
    await eventually('the event is streamed', () => streamed(id))
    await eventually('the event is listed', () => listed(id))
    await stack.redis?.start()
    await comesOut(id)
  })

  test('all three: /readyz of each service names them, with 200, and the metric is 0 until they are back', async () => {
    const ups = { kafka: 1, postgres: 1, redis: 1 }
    expect(await backendsUp()).toEqual(ups)
    const stoppedMs = performance.now()
    await Promise.all([stack.kafka?.stop(), stack.postgres?.stop(), stack.redis?.stop()])
    await eventually('the metric is 0', async () => Object.values(await backendsUp()).every((up) => up === 0), LATE)
    expect(performance.now() - stoppedMs).toBeGreaterThan(SILENT_MS)
    const { status, checks } = await readiness()
    expect(status).toBe(200)
    for (const name of BACKEND_CHECKS) expect(checks[name]).toMatch(/^no answer for \d\d s: .+/)
    await Promise.all([stack.kafka?.start(), stack.postgres?.start(), stack.redis?.start()])
    await eventually('the metric is 1', async () => Object.values(await backendsUp()).every((up) => up === 1))
    const back = await readiness()
    expect(BACKEND_CHECKS.filter((name) => back.checks[name] !== 'ok')).toEqual([])
  })
})

async function backendsUp(): Promise<Record<string, number>> {
  const text = await (await fetch(`${system.url}/metrics`)).text()
  const found = text.matchAll(/^ariftly_backend_up\{backend="(\w+)"\} (\d)$/gm)
  return Object.fromEntries(Array.from(found, ([, backend = '', up]) => [backend, Number(up)]))
}

async function readiness(): Promise<{ readonly status: number; readonly checks: Record<string, string> }> {
  const answer = await fetch(`${system.url}/readyz`)
  return { ...((await answer.json()) as { checks: Record<string, string> }), status: answer.status }
}

/** Listed, streamed and delivered: no accepted event is lost, at any stage. */
async function comesOut(id: string): Promise<void> {
  await eventually('the event is listed', () => listed(id))
  await eventually('the event is streamed', () => streamed(id))
  await eventually('its delivery', () => receiver.requests.some(({ headers }) => headers['webhook-id'] === id))
  expect(stream.messages.filter((message) => message.data.includes(id))).toHaveLength(1)
}

async function listed(id: string): Promise<boolean> {
  return (await request(`/v1/events/${id}`)).status === 200
}

function streamed(id: string): boolean {
  return stream.messages.some((message) => message.data.includes(id))
}

async function post(id: string): Promise<Response> {
  const body = `{"type":"task.complete","id":"${id}","task_id":"task_1","data":{"artifact_count":1,"mark":"${id}"}}`
  return await request('/v1/events', { method: 'POST', body })
}

async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
  return await fetch(`${system.url}${path}`, { ...init, headers })
}
