import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { decodeRecord, EVENT_TYPES, isSessionType, type LogEvent, type RawRecord } from '@ariftly/events'
import { catalogue } from '@ariftly/events/catalogue'
import { openEpoch } from '@ariftly/store/projection'
import { createWorld, eventually, serveInProcess, type InProcessService, type World } from '@ariftly/testkit'
import { Kafka, logLevel, type IHeaders } from 'kafkajs'
import { ingestConfig } from './config.ts'
import { start } from './service.ts'

const PARTITIONS = 12
const INGEST = { config: ingestConfig, start }
let world: World
let ingest: InProcessService
let key: string
let reader: { readonly records: RawRecord[]; close(): Promise<void> }

beforeAll(async () => {
  world = await createWorld({ partitions: PARTITIONS })
  key = await world.apiKey('acme')
  reader = await readTopic(world)
  ingest = await serveInProcess(INGEST, world.env)
})

afterAll(async () => {
  await ingest?.close()
  await reader?.close()
  await world?.close()
})

/** All records of the topic, read by a plain kafkajs consumer. */
async function readTopic({ env, topics }: World) {
  const kafka = new Kafka({ brokers: (env['KAFKA_BROKERS'] ?? '').split(','), logLevel: logLevel.NOTHING })
  const consumer = kafka.consumer({ groupId: `${topics.topic}-reader` })
  const records: RawRecord[] = []
  await consumer.connect()
  await consumer.subscribe({ topic: topics.topic, fromBeginning: true })
  await consumer.run({
    eachMessage: async ({ partition, message }) => {
      const headers: IHeaders = message.headers ?? {}
      const { offset, timestamp, key: recordKey, value } = message
      records.push({
        partition,
        offset: Number(offset),
        timestampMs: Number(timestamp),
        key: recordKey,
        value,
        headers,
      })
    },
  })
  return { records, close: () => consumer.disconnect() }
}

async function post(body: string | Buffer, headers: Record<string, string> = {}) {
  const response = await fetch(`${ingest.url}/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
    body: Buffer.isBuffer(body) ? new Uint8Array(body) : body,
  })
  const answer = (await response.json()) as { data?: { id: string; status: string }[]; code?: string }
  return { status: response.status, headers: response.headers, answer }
}

function idsOf(answer: { data?: { id: string; status: string }[] }): string[] {
  return (answer.data ?? []).filter(({ status }) => status === 'accepted').map(({ id }) => id)
}

/** The events of these ids as the topic holds them, in the order of each partition. */
async function eventsOf(ids: readonly string[]): Promise<readonly LogEvent[]> {
  const wanted = new Set(ids)
  let found: readonly LogEvent[] = []
  await eventually('the events are in the log', () => {
    found = reader.records.flatMap((record) => {
      const decoded = decodeRecord(record, PARTITIONS)
      if (decoded.kind === 'deadLetter') throw new Error(`${decoded.reason}: ${decoded.detail}`)
      return wanted.has(decoded.event.id) ? [decoded.event] : []
    })
    return found.length >= wanted.size
  })
  return found
}

function progress(taskId: string, message: string): string {
  return `{"type":"task.progress","task_id":"${taskId}","data":{"message":"${message}"}}`
}

/** Thirty events of one task, three a request, one request after the other. */
async function postInOrder(taskId: string): Promise<string[]> {
  const ids: string[] = []
  for (let round = 0; round < 10; round++) {
    const { answer } = await post(`[${[0, 1, 2].map((place) => progress(taskId, `${round * 3 + place}`)).join(',')}]`)
    ids.push(...idsOf(answer))
  }
  return ids
}

describe('accepted events', () => {
  test('of all ten types are in Kafka when the answer is 202, readable by any decoder, with the same bytes', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    const bodies = EVENT_TYPES.map((type) => ({
      type,
      ...(isSessionType(type) ? { session_id: 's1' } : { task_id: 't1', agent: 'analyzer' }),
      data: catalogue[type].example,
    }))
    const { status, answer } = await post(JSON.stringify(bodies), { traceparent })
    expect(status).toBe(202)
    expect(answer.data?.map((entry) => entry.status)).toEqual(EVENT_TYPES.map(() => 'accepted'))
    const events = await eventsOf(idsOf(answer))
    for (const [index, id] of idsOf(answer).entries()) {
      const event = events.find((candidate) => candidate.id === id)
      const { type, data } = bodies[index] ?? { type: '', data: {} }
      const first = event?.taskId === null ? { session_id: 's1' } : { task_id: 't1' }
      expect(event).toMatchObject({ tenant: 'acme', type, traceparent })
      expect(event?.data.toString()).toBe(JSON.stringify({ ...first, ...data }))
    }
  })

  test('as NDJSON, with gzip and as a single object are accepted in the same way', async () => {
    const lines = await post(`${progress('t', 'a')}\n\n${progress('t', 'b')}\n`, {
      'content-type': 'application/x-ndjson',
    })
    const packed = await post(gzipSync(progress('t', 'c')), { 'content-encoding': 'gzip' })
    expect([lines.status, packed.status]).toEqual([202, 202])
    expect(await eventsOf([...idsOf(lines.answer), ...idsOf(packed.answer)])).toHaveLength(3)
  })

  test('of one task keep the order in which they were posted, over many concurrent requests', async () => {
    const tasks = Array.from({ length: 20 }, (_, index) => `order-${index}`)
    const ids = (await Promise.all(tasks.map(postInOrder))).flat()
    expect(ids).toHaveLength(600)
    const events = await eventsOf(ids)
    for (const taskId of tasks) {
      const messages = events
        .filter((event) => event.taskId === taskId)
        .map(({ data }) => (JSON.parse(data.toString()) as { message: string }).message)
      expect(messages).toEqual(Array.from({ length: 30 }, (_, index) => String(index)))
    }
  })

  test('of a request as large as may be, and payloads as large as may be', async () => {
    const large = progress('large', 'x'.repeat(262_144 - '{"task_id":"large","message":""}'.length))
    const { status, answer } = await post(`[${Array.from({ length: 19 }, () => large).join(',')}]`)
    expect(status).toBe(202)
    expect(new Set(idsOf(answer)).size).toBe(19)
    expect(await eventsOf(idsOf(answer))).toHaveLength(19)
    const many = await post(`[${Array.from({ length: 1000 }, (_, index) => progress(`m${index}`, 'x')).join(',')}]`)
    expect(many.status).toBe(202)
    expect(await eventsOf(idsOf(many.answer))).toHaveLength(1000)
  })

  test('keep the id and idempotency key of the caller', async () => {
    const created_at = new Date().toISOString()
    const event = { type: 'task.created', task_id: 'k', data: {}, created_at, idempotency_key: 'k' }
    const [one, other] = [await post(JSON.stringify(event)), await post(JSON.stringify(event))]
    expect(idsOf(one.answer)).toHaveLength(1)
    expect(idsOf(other.answer)).toEqual(idsOf(one.answer))
  })
})

describe('refused entries', () => {
  test('are named with a pointer next to the accepted ones', async () => {
    const { status, answer } = await post(`[${progress('t', 'a')},{"type":"task.progress","task_id":"t","data":{}},7]`)
    expect(status).toBe(207)
    expect(answer.data).toMatchObject([
      { index: 0, status: 'accepted' },
      { index: 1, status: 'refused', error: { code: 'required', pointer: '/data/message' } },
      { index: 2, status: 'refused', error: { code: 'invalid_type', pointer: '' } },
    ])
    expect(await eventsOf(idsOf(answer))).toHaveLength(1)
  })

  test.each([
    ['[]', 422, 'empty_batch'],
    ['{"type":"x"}', 422, 'invalid_events'],
    ['{', 400, 'malformed_json'],
    [`[${'{},'.repeat(1000)}{}]`, 413, 'too_many_events'],
    [' '.repeat(5 * 1024 * 1024 + 1), 413, 'body_too_large'],
  ])('alone give a problem: %#', async (body, status, code) => {
    const refused = await post(body)
    expect([refused.status, refused.answer.code]).toEqual([status, code])
    expect(refused.headers.get('content-type')).toBe('application/problem+json')
  })

  test('of another content type or encoding, or without a key', async () => {
    expect((await post('a=b', { 'content-type': 'application/x-www-form-urlencoded' })).status).toBe(415)
    expect((await post('{}', { 'content-encoding': 'zstd' })).status).toBe(415)
    expect((await post('{}', { authorization: 'Bearer nonsense' })).status).toBe(401)
    const other = await world.apiKey('acme', ['events:read'])
    expect((await post('{}', { authorization: `Bearer ${other}` })).status).toBe(403)
  })
})

test('a topic with another number of partitions is not written to, and readiness says why', async () => {
  const other = await serveInProcess(INGEST, { ...world.env, KAFKA_PARTITIONS: '7' }, { untilReady: false })
  try {
    await eventually('ingest names the wrong partition count', () =>
      /has 12 partitions, 7 are configured/.test(other.ready().checks['log'] ?? ''),
    )
    expect(other.ready().ready).toBe(false)
    const response = await fetch(`${other.url}/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: progress('t', 'a'),
    })
    expect(response.status).toBe(503)
  } finally {
    await other.close()
  }
})

test('without Kafka it starts, is not ready, and answers 503 with the ids immediately', async () => {
  const away = await serveInProcess(INGEST, { ...world.env, KAFKA_BROKERS: '127.0.0.1:1' }, { untilReady: false })
  try {
    await eventually('ingest answers', async () => (await (await fetch(`${away.url}/readyz`)).json()) as object)
    const startedMs = performance.now()
    const response = await fetch(`${away.url}/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: progress('t', 'a'),
    })
    expect(performance.now() - startedMs).toBeLessThan(2000)
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('1')
    const events = [{ index: 0, id: expect.stringMatching(/^evt_/), status: 'retry' }]
    expect(await response.json()).toMatchObject({ code: 'log_unavailable', events })
    expect((await fetch(`${away.url}/readyz`)).status).toBe(503)
  } finally {
    await away.close()
  }
})

// The last one, as the log is another one meanwhile.
test('while the log is another one it stays ready, says why, and answers 503 log_identity_changed with the ids', async () => {
  const { epoch } = await openEpoch(world.admin, { topic: world.topics.topic, clusterId: 'another', topicId: 'test' })
  const other = /is on Kafka cluster .*, not another/
  await eventually('ingest says why', () => other.test(ingest.ready().checks['log'] ?? ''))
  expect(ingest.ready().ready).toBe(true)
  const { status, headers, answer } = await post(progress('t', 'a'))
  expect([status, headers.get('retry-after')]).toEqual([503, '1'])
  const events = [{ index: 0, id: expect.stringMatching(/^evt_/), status: 'retry' }]
  expect(answer).toMatchObject({ code: 'log_identity_changed', events })
  await world.admin.query('DELETE FROM log_epochs WHERE epoch = $1', [epoch])
  await eventually('posts are accepted', async () => (await post(progress('t', 'b'))).status === 202)
  expect(ingest.ready()).toMatchObject({ ready: true, checks: { kafka: 'ok' } })
})
