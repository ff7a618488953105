import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { EVENT_TYPES, type EventType } from '@ariftly/events'
import { catalogue } from '@ariftly/events/catalogue'
import { eventually, openStream, startReceiver, type OpenStream, type Receiver } from '@ariftly/testkit'
import { CloudEvent, Kafka as KafkaBinding } from 'cloudevents'
import { Kafka, logLevel, type KafkaMessage } from 'kafkajs'
import { Webhook } from 'standardwebhooks'
import { rawDataObjects } from '../support/raw-data.ts'
import { startStandalone, type Standalone } from '../support/standalone.ts'
import { verifyWebhook } from '../support/verify-webhook.ts'

const TASK = 'task_01j9x8k2m4e7s9v0w1x2y3z4a5'
const SESSION = 'sess_01j9x8k2m4e7s9v0w1x2y3z4a5'
const PLAIN_SECRET = 'your-signing-secret'
const STANDARD_SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

interface Example {
  readonly type: EventType
  readonly agent: string | null
  readonly subject: string
  /** The exact bytes expected at each output. */
  readonly data: string
  readonly request: string
}

interface Listed {
  readonly object: string
  readonly id: string
  readonly type: string
  readonly created_at: string
  readonly task_id: string | null
  readonly session_id: string | null
  readonly agent: string | null
}

let system: Standalone
let receiver: Receiver
let stream: OpenStream
let ids: readonly string[]
const examples = EVENT_TYPES.map(exampleOf)
const webhookIds = { plain: '', standard: '' }

beforeAll(async () => {
  system = await startStandalone()
  receiver = await startReceiver()
  stream = await openStream((signal) => system.request('/v1/events/stream', { signal }))
  webhookIds.plain = await createWebhook(PLAIN_SECRET)
  webhookIds.standard = await createWebhook(STANDARD_SECRET)
  const answer = await system.post('/v1/events', `[${examples.map(({ request }) => request).join(',')}]`, 202)
  ids = (answer as { data: { id: string; status: string }[] }).data.map(({ id }) => id)
})

afterAll(async () => {
  await stream?.close()
  await receiver?.close()
  await system?.close()
})

describe('ten example events that an agent posts', () => {
  test('are answered accepted with an id each, in input order', () => {
    expect(new Set(ids).size).toBe(examples.length)
    for (const id of ids) expect(id).toMatch(/^evt_[0-7][0-9a-hjkmnp-tv-z]{25}$/)
  })

  test('are in Kafka as CloudEvents for a plain client, with the same bytes', async () => {
    const messages = await readTopic(examples.length)
    for (const [index, example] of examples.entries()) {
      const message = messages.find((candidate) => String(candidate.headers?.['ce_id']) === ids[index])
      expect(String(message?.value)).toBe(example.data)
      expect(String(message?.key)).toBe(`default/${example.subject}`)
      const event = cloudEventOf(message)
      expect(event.validate()).toBe(true)
      expect(event).toMatchObject({
        specversion: '1.0',
        id: ids[index],
        type: example.type,
        source: example.agent === null ? '/tenants/default' : `/tenants/default/agents/${example.agent}`,
        subject: example.subject,
        datacontenttype: 'application/json',
        tenant: 'default',
      })
    }
  })

  test('are in GET /v1/events with the same bytes', async () => {
    const { events, data } = await eventually('all events are listed', async () => {
      const response = await system.request('/v1/events?order=asc')
      const text = await response.text()
      const list = JSON.parse(text) as { data: Listed[] }
      if (list.data.length < examples.length) throw new Error(`only ${list.data.length} events yet`)
      return { events: list.data, data: rawDataObjects(text) }
    })
    expect(events.map(({ id }) => id)).toEqual(ids)
    expect(data).toEqual(examples.map((example) => example.data))
    for (const [index, event] of events.entries()) expect(event).toMatchObject(envelopeOf(examples[index]))
  })

  test('are found alone by id, with the same bytes', async () => {
    for (const [index, id] of ids.entries()) {
      const response = await system.request(`/v1/events/${id}`)
      expect(rawDataObjects(await response.text())).toEqual([examples[index]?.data])
    }
  })

  test('are in the stream with the same bytes, each task in order', async () => {
    await eventually('the stream has all events', () => stream.messages.length >= examples.length)
    expect(stream.response.headers.get('content-type')).toMatch(/^text\/event-stream/)
    expect(ofTask(stream.messages)).toEqual(ofTask(examples))
    const byType = new Map(stream.messages.map((message) => [message.event, message.data]))
    expect(byType).toEqual(new Map(examples.map(({ type, data }) => [type, data])))
    for (const message of stream.messages) expect(message.id).toMatch(/^v1\./)
  })

  test('arrive at a webhook receiver, signed in both ways over the bytes that were sent', async () => {
    await eventually('both webhooks have all events', () => receiver.requests.length >= 2 * examples.length)
    for (const [name, secret] of [['plain', PLAIN_SECRET] as const, ['standard', STANDARD_SECRET] as const]) {
      const requests = receiver.requests.filter((r) => r.headers['x-ariftly-webhook-id'] === webhookIds[name])
      const webhook = name === 'plain' ? new Webhook(secret, { format: 'raw' }) : new Webhook(secret)
      expect(new Set(requests.map((request) => request.headers['webhook-id']))).toEqual(new Set(ids))
      for (const request of requests) {
        const body = request.body.toString()
        const signature = String(request.headers['x-ariftly-signature'])
        expect(webhook.verify(body, stringHeaders(request.headers))).toMatchObject({ object: 'event' })
        expect(verifyWebhook(body, signature, secret)).toBe(true)
        const index = ids.indexOf(String(request.headers['webhook-id']))
        expect(JSON.parse(body)).toMatchObject({ id: ids[index], ...envelopeOf(examples[index]) })
        expect(rawDataObjects(body)).toEqual([examples[index]?.data])
      }
    }
  })

  test('are refused by the receiver when one byte is changed', () => {
    const [request] = receiver.requests.filter((r) => r.headers['x-ariftly-webhook-id'] === webhookIds.plain)
    const body = request?.body.toString() ?? ''
    const changed = body.replace('"object":"event"', '"object":"Event"')
    expect(changed).not.toBe(body)
    expect(verifyWebhook(changed, String(request?.headers['x-ariftly-signature']), PLAIN_SECRET)).toBe(false)
    const webhook = new Webhook(PLAIN_SECRET, { format: 'raw' })
    expect(() => webhook.verify(changed, stringHeaders(request?.headers ?? {}))).toThrow('No matching signature found')
  })
})

function ofTask(list: readonly { readonly data: string }[]): readonly string[] {
  return list.map(({ data }) => data).filter((data) => data.includes(TASK))
}

/** One example with numbers that a JSON round trip would change; sessions have no task. */
function exampleOf(type: EventType, index: number): Example {
  const session = type.startsWith('session.')
  const agent = index % 3 === 0 ? null : 'analyzer'
  const subject = session ? SESSION : TASK
  const name = session ? 'session_id' : 'task_id'
  const members = JSON.stringify(catalogue[type].example).slice(1, -1)
  const data = `{"${name}":"${subject}",${members},"exact":[1.0,1e2,9223372036854775807,"\\u00e9\\/"]}`
  const request = `{"type":"${type}","${name}":"${subject}","agent":${JSON.stringify(agent)},"data":${data}}`
  return { type, agent, subject, data, request }
}

function envelopeOf(example: Example | undefined): object {
  const session = example?.type.startsWith('session.') === true
  const { type, agent, subject } = example ?? {}
  return { object: 'event', type, agent, task_id: session ? null : subject, session_id: session ? subject : null }
}

async function createWebhook(secret: string): Promise<string> {
  const body = JSON.stringify({ url: receiver.url, events: ['*'], secret })
  return ((await system.post('/v1/webhooks', body, 201)) as { id: string }).id
}

async function readTopic(count: number): Promise<readonly KafkaMessage[]> {
  const brokers = (system.env['KAFKA_BROKERS'] ?? '').split(',')
  const kafka = new Kafka({ brokers, clientId: 'internal-service', logLevel: logLevel.NOTHING })
  const consumer = kafka.consumer({ groupId: `internal-service-${Date.now()}` })
  const messages: KafkaMessage[] = []
  await consumer.connect()
  try {
    await consumer.subscribe({ topic: system.env['KAFKA_TOPIC'] ?? '', fromBeginning: true })
    await consumer.run({
      eachMessage: async ({ message }) => {
        messages.push(message)
      },
    })
    await eventually('all messages are in the log', () => messages.length >= count)
  } finally {
    await consumer.disconnect()
  }
  return messages
}

function cloudEventOf(message: KafkaMessage | undefined): CloudEvent<unknown> {
  const headers = Object.fromEntries(
    Object.entries(message?.headers ?? {}).map(([name, value]) => [name, String(value)]),
  )
  const value = String(message?.value)
  const event = KafkaBinding.toEvent({ headers, value, body: value, key: String(message?.key), timestamp: 0 } as never)
  if (!(event instanceof CloudEvent)) throw new Error('not one CloudEvent')
  return event
}

function stringHeaders(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}
