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
})

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
