import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import {
  createTestAuthority,
  eventually,
  startReceiver,
  type Receiver,
  type ServiceProcess,
  type ServiceProcessName,
} from '@ariftly/testkit'
import { followStream } from '../support/follow-stream.ts'
import { verifyWebhook } from '../support/verify-webhook.ts'
import { startTlsWorld, type TlsWorld } from './tls-world.ts'

const SERVICES = ['ingest', 'projector', 'api', 'stream-gateway', 'webhook-worker'] as const
const WEBHOOK_SECRET = 'the-webhook-secret-of-the-tls-test'
const TASK = 'task_01j9x8k2m4e7s9v0w1x2y3z4a5'

/** Over seven rounds longer than a login lasts, so that each connection logs in more than once. */
const EVERY_MS = 2000

let world: TlsWorld
let receiver: Receiver
let migrated: { readonly code: number; readonly output: string }
const services = new Map<ServiceProcessName, ServiceProcess>()

beforeAll(async () => {
  // kafkajs repeats a login 10 s before it ends, so each connection does that about every 2 s.
  ;[world, receiver] = await Promise.all([startTlsWorld({ kafkaLoginMs: 12_000 }), startReceiver()])
  migrated = await world.migrate()
  for (const name of SERVICES) services.set(name, await world.start(name))
})

afterAll(async () => {
  await receiver?.close()
  await world?.close()
})

test('migrate makes topics and tables over TLS', () => {
  expect(migrated).toMatchObject({ code: 0, output: expect.stringContaining('migrated') })
})

test('with TLS to all backends an event gets from its post to list, stream and webhook', async () => {
  await Promise.all(SERVICES.map((name) => eventually(`${name} is ready`, () => isReady(name))))
  const webhook = await call('api', '/v1/webhooks', { url: receiver.url, events: ['*'], secret: WEBHOOK_SECRET })
  expect(webhook.status).toBe(201)
  const stream = await followStream(urlOf('stream-gateway'), world.apiKey, { task_id: TASK })
  const ids: string[] = []
  for (let round = 0; round < 7; round++) {
    const event = { type: 'task.progress', task_id: TASK, data: { message: `round ${round}`, progress: 0.5 } }
    const answer = await call('ingest', '/v1/events', [event, event])
    expect(answer.status).toBe(202)
    const { data } = (await answer.json()) as { data: { id: string; status: string }[] }
    expect(data.map(({ status }) => status)).toEqual(['accepted', 'accepted'])
    ids.push(...data.map(({ id }) => id))
    await stream.shown(ids.length)
    await delay(EVERY_MS)
  }
  const listed = await eventually('all events are listed', async () => {
    const answer = await call('api', `/v1/events?task_id=${TASK}&order=asc&limit=100`)
    const { data } = (await answer.json()) as { data: { id: string }[] }
    return data.length >= ids.length ? data.map(({ id }) => id) : undefined
  })
  expect(listed).toEqual(ids)
  await receiver.received(ids.length)
  expect(new Set(receiver.requests.map((request) => request.headers['webhook-id']))).toEqual(new Set(ids))
  for (const { body, headers: sent } of receiver.requests) {
    expect(verifyWebhook(body.toString(), String(sent['x-ariftly-signature']), WEBHOOK_SECRET)).toBe(true)
  }
  await stream.close()
})

test('the commands of operators work over TLS', async () => {
  const projection = await world.run('projector', ['status'])
  expect(projection).toMatchObject({ code: 0, output: expect.stringMatching(/partition/) })
  expect(await world.run('projector', ['verify'])).toMatchObject({ code: 0 })
  expect(await world.run('webhook-worker', ['re-encrypt'])).toMatchObject({ code: 0 })
})

test('certificates of another authority are used by services without a restart', async () => {
  const next = createTestAuthority()
  world.file('ca.pem', next.cert)
  world.serveWith(next.issue())
  const { kafka, postgres, redis } = world.stack
  await Promise.all([kafka?.restart(), postgres?.restart(), redis?.restart()])
  const stream = await followStream(urlOf('stream-gateway'), world.apiKey, { task_id: 'renewed' })
  const event = { type: 'task.progress', task_id: 'renewed', data: { message: 'by the new authority' } }
  const [accepted] = await eventually('the event is accepted', async () => {
    const answer = await call('ingest', '/v1/events', [event])
    expect(answer.status).toBe(202)
    return ((await answer.json()) as { data: { id: string }[] }).data
  })
  const id = accepted?.id ?? ''
  await stream.shows(id)
  await eventually('the event is projected', async () => (await call('api', `/v1/events/${id}`)).status === 200)
  await eventually('its delivery', () => receiver.requests.some((request) => request.headers['webhook-id'] === id))
  await stream.close()
  await Promise.all(SERVICES.map((name) => eventually(`${name} is ready`, () => isReady(name))))
})

test('no secret is in any output, metric or readiness of that whole run', async () => {
  const outputs = new Map([['migrate', migrated.output]])
  for (const [name, service] of services) {
    for (const path of ['/readyz', '/metrics']) {
      outputs.set(`${name}${path}`, await (await fetch(`${service.url}${path}`)).text())
    }
    service.kill('SIGTERM')
    expect([name, await service.exited]).toEqual([name, 0])
    outputs.set(name, service.output())
  }
  const found = [...outputs].flatMap(([place, text]) =>
    Object.entries({ ...world.secrets, 'webhook secret': WEBHOOK_SECRET })
      .filter(([, secret]) => text.includes(secret))
      .map(([what]) => `${what} in ${place}`),
  )
  expect(found).toEqual([])
  // The outputs were read while in use.
  expect(outputs.get('projector')).toContain('"msg":"batch"')
  expect(outputs.get('projector/metrics')).toContain('ariftly_')
  expect(outputs.get('webhook-worker')).toContain('attempt made')
})

function urlOf(name: ServiceProcessName): string {
  return services.get(name)?.url ?? ''
}

async function isReady(name: ServiceProcessName): Promise<boolean> {
  return (await fetch(`${urlOf(name)}/readyz`)).status === 200
}

function headers(): Record<string, string> {
  return { authorization: `Bearer ${world.apiKey}` }
}

function call(name: ServiceProcessName, path: string, body?: unknown): Promise<Response> {
  if (body === undefined) return fetch(`${urlOf(name)}${path}`, { headers: headers() })
  const json = { ...headers(), 'content-type': 'application/json' }
  return fetch(`${urlOf(name)}${path}`, { method: 'POST', headers: json, body: JSON.stringify(body) })
}
