import { createHash } from 'node:crypto'
import { Agent, request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { brotliCompressSync, constants, deflateSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { newEventId, newTypeId } from '@ariftly/events'
import { createLogger, createMetrics } from '@ariftly/runtime'
import { withTransaction } from '@ariftly/store'
import { insertApiKey, revokeApiKey } from '@ariftly/store/api-keys'
import {
  createWorld,
  eventually,
  readTopicIds,
  serveInProcess,
  type InProcessService,
  type World,
} from '@ariftly/testkit'
import { ConfigResourceTypes, Kafka, logLevel } from 'kafkajs'
import { sleep } from '@ariftly/async'
import { ingestConfig } from './config.ts'
import { start } from './service.ts'

const BATCH_BYTES_MAX = 50_000
/** Longer than a caller is known without asking again. */
const KNOWN_MS = 600
let world: World
let ingest: InProcessService
let key: string
const logged: string[] = []
const metrics = createMetrics()

beforeAll(async () => {
  world = await createWorld({ partitions: 2 })
  await limitBatches(world)
  key = await world.apiKey('acme')
  const log = createLogger({ service: 'ingest', level: 'info', destination: { write: (line) => logged.push(line) } })
  ingest = await serveInProcess({ config: ingestConfig, start }, world.env, { log, metrics })
})

afterAll(async () => {
  await ingest?.close()
  await world?.close()
})

/** A topic that takes less than ingest believes, so that the broker refuses what ingest let in. */
async function limitBatches({ env, topics }: World): Promise<void> {
  const admin = new Kafka({ brokers: [env['KAFKA_BROKERS'] ?? ''], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  const configEntries = [{ name: 'max.message.bytes', value: String(BATCH_BYTES_MAX) }]
  const resources = [{ type: ConfigResourceTypes.TOPIC, name: topics.topic, configEntries }]
  await admin.alterConfigs({ validateOnly: false, resources })
  await admin.disconnect()
}

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly localPort: number
  readonly body: {
    readonly code?: string
    readonly data?: readonly { readonly id?: string; readonly status: string }[]
  }
}

function post(body: string | Buffer, o: { headers?: Record<string, string>; agent?: Agent; as?: string } = {}) {
  return new Promise<Answer>((resolve, reject) => {
    const headers = { authorization: `Bearer ${o.as ?? key}`, 'content-type': 'application/json', ...o.headers }
    const { agent } = o
    const to = { host: '127.0.0.1', port: ingest.port, path: '/v1/events', method: 'POST' }
    const req = request({ ...to, headers, ...(agent === undefined ? {} : { agent }) }, (res) => {
      readAnswer(res).then(resolve, reject)
    })
    req.on('error', reject)
    req.end(body)
  })
}

async function readAnswer(res: IncomingMessage): Promise<Answer> {
  const localPort = res.socket.localPort ?? 0
  const body = JSON.parse(await text(res)) as Answer['body']
  return { status: res.statusCode ?? 0, headers: res.headers, localPort, body }
}

function event(taskId: string, messageBytes: number): object {
  return { type: 'task.progress', task_id: taskId, data: { message: 'x'.repeat(messageBytes) } }
}

describe('a record that the broker finds too large', () => {
  test('is refused alone: its neighbours of the same request, task and partition are accepted and in the log', async () => {
    const sizes = [10, 2 * BATCH_BYTES_MAX, 10, 20_000, 20_000, 20_000, 2 * BATCH_BYTES_MAX, 10]
    const events = sizes.flatMap((bytes) => [event('one', bytes), event('other', bytes)])
    const { status, body } = await post(JSON.stringify(events))
    expect(status).toBe(207)
    const expected = sizes.flatMap((bytes) =>
      bytes > BATCH_BYTES_MAX ? ['refused', 'refused'] : ['accepted', 'accepted'],
    )
    expect(body.data?.map((entry) => entry.status)).toEqual(expected)
    const inTopic = await readTopicIds(world.env['KAFKA_BROKERS'] ?? '', world.topics.topic)
    const accepted = (body.data ?? []).filter((entry) => entry.status === 'accepted')
    expect(accepted.filter(({ id }) => !inTopic.has(id ?? ''))).toEqual([])
  })
})

describe('a small body that unpacks to far more', () => {
  const bomb = Buffer.alloc(100_000_000, ' ')

  test.each([
    ['gzip', gzipSync(bomb)],
    ['deflate', deflateSync(bomb)],
    ['br', brotliCompressSync(bomb, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })],
  ])('of %s gets its 413 immediately, costs no memory, and its connection is used again', async (encoding, packed) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const rssBefore = process.memoryUsage().rss
    try {
      const headers = { 'content-encoding': encoding }
      const refused = await post(packed, { headers, agent })
      expect([refused.status, refused.body.code]).toEqual([413, 'body_too_large'])
      expect(process.memoryUsage().rss - rssBefore).toBeLessThan(60_000_000)
      const next = await post(JSON.stringify(event('after', 1)), { agent })
      expect([next.status, next.localPort]).toEqual([202, refused.localPort])
    } finally {
      agent.destroy()
    }
  })
})

describe('a quota', () => {
  const EVENTS_PER_S = 200
  const BATCH = 10

  test('accepts, of twenty times as many events, what it allows and one burst, and shows it in headers', async () => {
    const { id: keyId, key: limited } = await newKey(EVENTS_PER_S)
    const batch = JSON.stringify(Array.from({ length: BATCH }, () => event('flood', 1)))
    const statuses = new Map<number, number>()
    const startedMs = performance.now()
    let refused: Answer | undefined
    while (performance.now() - startedMs < 1500 || refused === undefined) {
      const answers = await Promise.all(Array.from({ length: 20 }, () => post(batch, { as: limited })))
      for (const { status } of answers) statuses.set(status, (statuses.get(status) ?? 0) + 1)
      refused ??= answers.find(({ status }) => status === 429)
    }
    const seconds = (performance.now() - startedMs) / 1000
    const accepted = (statuses.get(202) ?? 0) * BATCH
    // A full bucket at the start; requests that are under way together may owe a batch each.
    expect(accepted).toBeGreaterThanOrEqual(EVENTS_PER_S)
    expect(accepted).toBeLessThanOrEqual(EVENTS_PER_S * (seconds + 1) + 20 * BATCH)
    expect(new Set(statuses.keys())).toEqual(new Set([202, 429]))
    expect(refused?.body.code).toBe('quota_exceeded')
    expect(Number(refused?.headers['retry-after'])).toBeGreaterThan(0)
    expect(refused?.headers['ratelimit-policy']).toBe(`"events";q=${EVENTS_PER_S};w=1`)
    expect(refused?.headers['ratelimit']).toMatch(/^"events";r=0;t=\d+$/)
    expect((await post(batch)).status).toBe(202)
    await expectCounted(keyId, statuses.get(429) ?? 0, seconds)
  })

  test('is shown as it is after the request: nothing is left after a post of all of it', async () => {
    for (const events of [1, 2]) {
      const { key: small } = await newKey(events)
      const { status, headers } = await post(JSON.stringify(Array.from({ length: events }, () => event('all', 1))), {
        as: small,
      })
      expect([status, headers['ratelimit']]).toEqual([202, '"events";r=0;t=1'])
    }
  })

  test('accepts one of several batches whose heads arrive together, when each is larger than a second allows', async () => {
    const { key: tight } = await newKey(10)
    // So that the key is known, and no head waits.
    expect((await post('', { as: tight, headers: { 'content-type': 'text/plain' } })).status).toBe(415)
    const begun = await postsRead()
    const posts = Array.from({ length: 10 }, () => slowPost(tight, 100))
    await eventually('10 posts are read', async () => (await postsRead()) === begun + 10)
    const answers = await Promise.all(posts.map(({ finish }) => finish()))
    const refused = answers.filter(({ status }) => status === 429)
    expect([answers.filter(({ status }) => status === 202).length, refused.length]).toEqual([1, 9])
    for (const { headers } of refused) expect(Number(headers['retry-after'])).toBeGreaterThan(0)
  })
})

/** Posts whose head was read by `node:http`. */
async function postsRead(): Promise<number> {
  const found = /^ariftly_ingest_posts_total\{reader="node_http"\} (\d+)$/m.exec(await metrics.render())
  return Number(found?.[1] ?? 0)
}

interface RefusedLine {
  readonly key_id?: string
  readonly requests: number
}

/** All refusals are in the metrics, and in the log, which has few lines of them. */
async function expectCounted(keyId: string, refused: number, seconds: number): Promise<void> {
  const lines = () => logged.map((line) => JSON.parse(line) as RefusedLine).filter((line) => line.key_id === keyId)
  await eventually('all refusals are logged', () => lines().reduce((sum, { requests }) => sum + requests, 0) >= refused)
  expect(lines().reduce((sum, { requests }) => sum + requests, 0)).toBe(refused)
  // Each of the two readers of HTTP has its own line.
  expect(lines().length).toBeLessThanOrEqual(2 * (2 + Math.ceil(seconds)))
  for (const line of lines()) expect(line).toMatchObject({ msg: 'request', route: 'postEvents', status: 429 })
  expect(await metrics.render()).toContain(`_requests_total{route="postEvents",status="429"} ${refused}\n`)
}

describe('a body that arrives slowly', () => {
  test('is written while its key is good, and not when that was revoked meanwhile', async () => {
    const { id: keyId, key: brief } = await newKey(null)
    const [kept, dropped] = [slowPost(key), slowPost(brief)]
    expect((await post(JSON.stringify(event('slow', 1)), { as: brief })).status).toBe(202)
    await withTransaction(world.admin, (tx) => revokeApiKey(tx, { id: keyId }))
    await eventually('the key has expired', async () => (await post('{}', { as: brief })).status === 401)
    await sleep(KNOWN_MS)
    expect((await kept.finish()).status).toBe(202)
    expect(await dropped.finish()).toMatchObject({ status: 401, body: { code: 'invalid_api_key' } })
    const ids = await readTopicIds(world.env['KAFKA_BROKERS'] ?? '', world.topics.topic)
    expect([ids.has(kept.id), ids.has(dropped.id)]).toEqual([true, false])
  })
})

/** Posts an event, or so many, of which the last byte is sent with `finish`. */
function slowPost(as: string, events = 1) {
  const id = newEventId(Date.now())
  const others = Array.from({ length: events - 1 }, () => event('slow', 1))
  const body = JSON.stringify([{ ...event('slow', 1), id }, ...others])
  const headers = { authorization: `Bearer ${as}`, 'content-type': 'application/json', 'content-length': body.length }
  const req = request({ host: '127.0.0.1', port: ingest.port, path: '/v1/events', method: 'POST', headers })
  const answer = new Promise<Answer>((resolve, reject) => {
    req.on('response', (res) => void readAnswer(res).then(resolve, reject))
    req.on('error', reject)
  })
  req.write(body.slice(0, -1))
  async function finish(): Promise<Answer> {
    req.end(body.slice(-1))
    return await answer
  }
  return { id, finish }
}

async function newKey(eventsPerS: number | null) {
  const id = newTypeId('key')
  const limited = `limited_key_${newTypeId('key')}`
  await insertApiKey(world.admin, {
    id,
    tenant: 'acme',
    name: 'limited',
    scopes: ['events:write'],
    hash: createHash('sha256').update(limited).digest(),
    quota: { eventsPerS, bytesPerS: null },
    expiresAtMs: null,
    createdAtMs: Date.now(),
  })
  return { id, key: limited }
}
