import { request, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { eventIdMs, LIMITS, newEventId, type LogEvent } from '@ariftly/events'
import { generateApiKey } from '@ariftly/auth'
import { createStreamIds } from '@ariftly/http'
import { createKeyring } from '@ariftly/keyring'
import { withTransaction } from '@ariftly/store'
import { listApiKeys, revokeApiKey } from '@ariftly/store/api-keys'
import {
  createStreamReader,
  createWorld,
  eventually,
  sampleEvent,
  serveInProcess,
  type InProcessService,
  type StreamMessage,
  type World,
} from '@ariftly/testkit'
import { start, streamGatewayConfig } from './service.ts'
import { sealStreamToken } from './routes/stream-token.ts'
import { byTask, dataOf, padded } from './test-payloads.ts'

let world: World
let key: string
let one: InProcessService
let two: InProcessService
const open: Stream[] = []

beforeAll(async () => {
  world = await createWorld({ env: { DRAIN_MS: '1000', RING_BYTES_MAX: '1048576' } })
  key = await world.apiKey('acme')
  ;[one, two] = await Promise.all([followEpochs(), followEpochs(), world.startService('projector')])
})

afterEach(() => {
  for (const stream of open.splice(0)) stream.close()
})

afterAll(async () => {
  await Promise.all([one?.close(), two?.close()])
  await world?.close()
})

async function followEpochs(o: Pick<Parameters<typeof start>[1], 'streamsPerKeyMax'> = {}): Promise<InProcessService> {
  const gateway: Parameters<typeof serveInProcess<typeof streamGatewayConfig>>[0] = {
    config: streamGatewayConfig,
    start: (config, deps) => start(config, { ...deps, ...o }),
  }
  return await serveInProcess(gateway, world.env, { drainMs: 2000 })
}

let made = 0

function event(taskId: string, o: Partial<LogEvent> = {}): LogEvent {
  made += 1
  return sampleEvent({ taskId, data: Buffer.from(`{"task_id":"${taskId}","message":"${made}","ratio":1.0}`), ...o })
}

interface Stream {
  readonly response: IncomingMessage
  /** All events but the stream's own. */
  readonly events: StreamMessage[]
  readonly control: StreamMessage[]
  lastId: string | undefined
  /** How the answer ended: whole, or cut. */
  readonly ended: Promise<'whole' | 'cut'>
  close(): void
}

async function openStream(
  gateway: InProcessService,
  query: string,
  o: { readonly headers?: Record<string, string>; readonly form?: string; readonly key?: string } = {},
): Promise<Stream> {
  const response = await ask(gateway, query, o)
  expect(response.statusCode).toBe(200)
  const events: StreamMessage[] = []
  const control: StreamMessage[] = []
  const ended = new Promise<'whole' | 'cut'>((resolve) => {
    response.once('end', () => resolve('whole'))
    response.once('error', () => resolve('cut'))
  })
  const result: Stream = { response, events, control, lastId: undefined, ended, close: () => response.destroy() }
  const reader = createStreamReader((message) => {
    result.lastId = message.id ?? result.lastId
    if (message.event?.startsWith('stream.') === true) control.push(message)
    else events.push(message)
  })
  response.on('data', (chunk: Buffer) => reader.push(chunk))
  open.push(result)
  return result
}

async function ask(
  gateway: InProcessService,
  query: string,
  o: {
    readonly headers?: Record<string, string>
    readonly form?: string
    readonly key?: string
    readonly path?: string
  } = {},
): Promise<IncomingMessage> {
  return await new Promise((resolve, reject) => {
    const req = request(
      {
        host: '127.0.0.1',
        port: gateway.port,
        path: (o.path ?? '/v1/events/stream') + query,
        method: o.form === undefined ? 'GET' : 'POST',
        headers: {
          ...(o.key === '' ? {} : { Authorization: `Bearer ${o.key ?? key}` }),
          Accept: 'text/event-stream',
          ...(o.form === undefined ? {} : { 'Content-Type': 'application/x-www-form-urlencoded' }),
          ...o.headers,
        },
      },
      resolve,
    )
    req.once('error', reject)
    req.end(o.form)
  })
}

async function refused(gateway: InProcessService, query: string, o: Parameters<typeof ask>[2] = {}) {
  const response = await ask(gateway, query, o)
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk as string
  const problem = JSON.parse(text) as { code: string; errors?: { parameter?: string }[] }
  return { status: response.statusCode, code: problem.code, parameter: problem.errors?.[0]?.parameter }
}

describe('a stream', () => {
  test('shows new events of its filter with the bytes of their data, by GET and by POST with a form', async () => {
    const byQuery = await openStream(one, '?task_id=t-live&types=task.progress,task.complete')
    const byForm = await openStream(two, '', { form: 'task_id=t-live&agent=writer' })
    const events = [
      event('t-live', { agent: 'writer' }),
      event('t-other', { agent: 'writer' }),
      event('t-live', { type: 'task.created' }),
      event('t-live', { type: 'task.complete', agent: 'reader' }),
      event('t-live', { tenant: 'umbrella', agent: 'writer' }),
      event('t-live', { agent: 'writer' }),
    ]
    await world.append(events)
    await eventually('both streams have their events', () => byQuery.events.length === 3 && byForm.events.length === 2)
    const pick = (...at: number[]) => dataOf(events.filter((_, index) => at.includes(index)))
    expect(byQuery.events.map(({ data }) => data)).toEqual(pick(0, 3, 5))
    expect(byQuery.events.map((message) => message.event)).toEqual(['task.progress', 'task.complete', 'task.progress'])
    expect(byForm.events.map(({ data }) => data)).toEqual(pick(0, 5))
    expect(byQuery.response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    })
    expect(byQuery.response.headers).not.toHaveProperty('connection')
  })

  test('with envelope=true shows the whole event object', async () => {
    const whole = await openStream(one, '?task_id=t-envelope&envelope=true')
    const sent = event('t-envelope')
    await world.append([sent])
    await eventually('the event with its envelope', () => whole.events.length === 1)
    expect(JSON.parse(whole.events[0]?.data ?? '')).toMatchObject({
      object: 'event',
      id: sent.id,
      task_id: 't-envelope',
      agent: null,
    })
    expect(whole.events[0]?.data).toContain(`"data":${sent.data.toString()}}`)
  })

  test('joins history and live without a gap or a repeat, while events are being posted', async () => {
    const taskIds = Array.from({ length: 12 }, (_, index) => `t-join-${index}`)
    const first = await openStream(one, '?agent=joiner')
    await eventually('the first position', () => first.lastId !== undefined)
    const startId = first.lastId ?? ''
    first.close()
    const events: LogEvent[] = []
    const post = async (rounds: number) => {
      for (let round = 0; round < rounds; round += 1) {
        const batch = taskIds.map((taskId) => event(taskId, { agent: 'joiner', data: padded(taskId, round, 1500) }))
        events.push(...batch)
        await world.append(batch)
      }
    }
    await post(30)
    const posting = post(40)
    const streams = await Promise.all(
      [one, two, one, two].map((gateway) => openStream(gateway, `?agent=joiner&last_event_id=${startId}`)),
    )
    await posting
    const expected = byTask(dataOf(events))
    for (const each of streams) {
      await eventually('each stream has all events', () => each.events.length >= events.length)
      expect(byTask(each.events.map(({ data }) => data))).toEqual(expected)
    }
  })

  test('continues at any gateway from the id that it had, over many cuts', async () => {
    const seen: string[] = []
    const events: LogEvent[] = []
    let lastId: string | undefined
    for (let hop = 0; hop < 12; hop += 1) {
      const gateway = hop % 2 === 0 ? one : two
      const headers = lastId === undefined ? {} : { 'Last-Event-ID': lastId }
      const current = await openStream(gateway, '?task_id=t-hop', { headers })
      await eventually('a position', () => current.lastId !== undefined)
      const batch = [event('t-hop'), event('t-hop'), event('t-hop')]
      events.push(...batch)
      await world.append(batch)
      // On even hops it is cut after the first events, on others after all.
      await eventually('events', () => current.events.length >= (hop % 2 === 0 ? 1 : events.length - seen.length))
      current.close()
      seen.push(...current.events.map(({ data }) => data))
      lastId = current.lastId
    }
    expect(seen).toEqual(dataOf(events))
  })

  test('shows a duplicate once, also when the first one is no longer in memory', async () => {
    const sent = event('t-copy')
    const live = await openStream(one, '?task_id=t-copy')
    await world.append([sent])
    await world.append([sent])
    await world.append(fill())
    await world.append([sent])
    const after = event('t-copy')
    await world.append([after])
    await eventually('2 live events', () => live.events.length >= 2)
    expect(live.events.map(({ data }) => data)).toEqual(dataOf([sent, after]))
  })

  test('shows an event whose id was in a dead letter before, also when that is no longer in memory', async () => {
    const early = event('t-early', { id: newEventId(Date.now() + LIMITS.recordFutureMsMax + 3000) })
    const live = await openStream(one, '?task_id=t-early')
    // What ingest writes when its clock is ahead: readers take it for a dead letter.
    await world.append([early])
    await world.append(fill())
    await eventually('the id is in the window', () => Date.now() + LIMITS.recordFutureMsMax > eventIdMs(early.id))
    await world.append([early])
    const after = event('t-early')
    await world.append([after])
    await eventually('a live event', () => live.events.length >= 1)
    await eventually('the last event is live', () => live.events.at(-1)?.data === after.data.toString())
    expect(live.events.map(({ data }) => data)).toEqual(dataOf([early, after]))
  })

  test('begins in the past with after=, in log time', async () => {
    const before = event('t-after')
    await world.append([before])
    await eventually(
      'the event is projected',
      async () => (await world.admin.query('select from events where task_id = $1', ['t-after'])).rowCount === 1,
    )
    const sinceMs = Date.now() + 1
    await eventually('a later millisecond', () => Date.now() > sinceMs)
    const later = [event('t-after'), event('t-after', { id: newEventId(Date.now() - 3_600_000) })]
    await world.append(later)
    const since = await openStream(two, `?task_id=t-after&after=${new Date(sinceMs).toISOString()}`)
    await eventually('2 events since then', () => since.events.length >= 2)
    expect(since.events.map(({ data }) => data)).toEqual(dataOf(later))
  })
})

/** More than the ring holds. */
function fill(): LogEvent[] {
  return Array.from({ length: 60 }, (_, index) =>
    event(`t-fill-${index}`, { data: padded(`t-fill-${index}`, 1, 40_000) }),
  )
}

describe('a position that cannot be continued', () => {
  test('of another epoch or beyond the log gets stream.reset, and the stream continues from the earliest', async () => {
    const sent = event('t-reset')
    await world.append([sent])
    const ids = createStreamIds(createKeyring(world.env['ENCRYPTION_KEYS'] ?? ''))
    const foreign = ids.seal({ epoch: 99, position: new Float64Array(world.partitions).fill(5) })
    const beyond = ids.seal({ epoch: 1, position: new Float64Array(world.partitions).fill(1e9) })
    const [changed, lost] = await Promise.all(
      [foreign, beyond].map((id) => openStream(one, '?task_id=t-reset', { headers: { 'Last-Event-ID': id } })),
    )
    await eventually('both resets', () => changed?.events.length === 1 && lost?.events.length === 1)
    const reasons = [changed, lost].map((each) =>
      each?.control.filter((message) => message.event === 'stream.reset').map(({ data }) => JSON.parse(data) as object),
    )
    const earliest = expect.stringMatching(/^\d{4}-.*Z$/) as unknown
    expect(reasons).toEqual([
      [{ reason: 'log_changed', requested: foreign, earliest }],
      [{ reason: 'position_beyond_log', requested: beyond, earliest }],
    ])
  })
})

describe('bad input', () => {
  test.each([
    ['?last_event_id=v1.abc', 400, 'last_event_id'],
    [`?last_event_id=v1.${'A'.repeat(120)}`, 400, 'last_event_id'],
    ['?task=t', 400, 'task'],
    ['?task_id=', 400, 'task_id'],
    ['?task_id=a&task_id=b', 400, 'task_id'],
    ['?types=task.unknown', 400, 'types'],
    ['?types=task.*', 400, 'types'],
    ['?after=yesterday', 400, 'after'],
    ['?envelope=yes', 400, 'envelope'],
    ['?agent=%ff', 400, 'agent'],
    ['?token=ak_0000000000000000000000000000000000000000000_000000', 400, 'token'],
  ] as const)('%s is refused by name', async (query, status, parameter) => {
    expect(await refused(one, query)).toMatchObject({ status, parameter })
  })

  test('of a form is refused: a name in query and form, another type, too many bytes, an encoding', async () => {
    expect(await refused(one, '?task_id=a', { form: 'task_id=b' })).toMatchObject({ status: 400, parameter: 'task_id' })
    expect(await refused(one, '', { form: '{}', headers: { 'Content-Type': 'application/json' } })).toMatchObject({
      status: 415,
    })
    expect(await refused(one, '', { form: 'a', headers: { 'Content-Encoding': 'gzip' } })).toMatchObject({
      status: 415,
    })
    expect(await refused(one, '', { form: `task_id=${'a'.repeat(16_384)}` })).toMatchObject({ status: 413 })
    expect(await refused(one, '', { headers: { 'Last-Event-ID': 'nonsense' } })).toMatchObject({
      status: 400,
      parameter: 'Last-Event-ID',
    })
    expect(await refused(one, '', { key: '' })).toMatchObject({ status: 401, code: 'missing_api_key' })
    expect(await refused(one, '', { key: await world.apiKey('acme', ['events:write']) })).toMatchObject({ status: 403 })
  })

  test('the same positions sealed by other keys are forged', async () => {
    const ids = createStreamIds(createKeyring(`test:${Buffer.alloc(32, 7).toString('base64')}`))
    const id = ids.seal({ epoch: 1, position: new Float64Array(world.partitions) })
    expect(await refused(one, `?last_event_id=${id}`)).toMatchObject({ status: 400 })
  })
})

describe('keys', () => {
  test('a revoked key ends its open streams within a second, after their position, and no others', async () => {
    const doomed = await world.apiKey('doomed')
    const [mine, other] = await Promise.all([openStream(one, '', { key: doomed }), openStream(one, '')])
    await world.append([event('t-before-the-end')])
    await eventually('the fourth stream', () => other.events.length > 0 && mine.control.length === 2)
    const keys = await listApiKeys(world.admin, { tenant: 'doomed', limit: 10 })
    const startedMs = performance.now()
    for (const { id } of keys) await withTransaction(world.admin, (tx) => revokeApiKey(tx, { id }))
    expect(await mine.ended).toBe('cut')
    expect(performance.now() - startedMs).toBeLessThan(3000)
    expect(mine.control.map((message) => message.event)).toEqual(Array(3).fill('stream.checkpoint'))
    expect(mine.control.map((message) => message.data)).toEqual(['{}', '{"live":true}', '{}'])
    expect(other.response.destroyed).toBe(false)
    expect(await refused(one, '', { key: doomed })).toMatchObject({ status: 401 })
  })

  test('a stream token opens the stream that it names, without a header, and nothing else', async () => {
    const answer = await ask(one, '', {
      path: '/v1/stream-tokens',
      form: '{"task_id":"t-token","ttl_s":60}',
      headers: { 'Content-Type': 'application/json' },
    })
    let text = ''
    for await (const chunk of answer.setEncoding('utf8')) text += chunk as string
    const { token } = JSON.parse(text) as { token: string }
    expect(answer.statusCode).toBe(201)
    const byToken = await openStream(two, `?token=${token}`, { key: '' })
    const sent = event('t-token')
    await world.append([event('t-elsewhere'), sent])
    await eventually('an event by token', () => byToken.events.length > 0)
    expect(byToken.events.map(({ data }) => data)).toEqual(dataOf([sent]))
    expect(await refused(two, `?token=${token}&task_id=x`, { key: '' })).toMatchObject({
      status: 400,
      parameter: 'token',
    })
    expect(await refused(two, `?token=${token}x`, { key: '' })).toMatchObject({ status: 401 })
  })

  test('a stream that was opened by a token ends with it, after its position', async () => {
    const keys = await listApiKeys(world.admin, { tenant: 'acme', limit: 10 })
    const reader = keys.find(({ scopes }) => scopes.includes('events:read'))
    const sealer = createKeyring(world.env['ENCRYPTION_KEYS'] ?? '')
    const expiresAtMs = Date.now() + 1500
    const token = sealStreamToken(sealer, {
      keyId: reader?.id ?? '',
      secret: 1,
      filter: { taskId: 't-end' },
      expiresAtMs,
    })
    const stream = await openStream(one, `?token=${token}`, { key: '' })
    expect(await stream.ended).toBe('cut')
    expect(Date.now()).toBeGreaterThanOrEqual(expiresAtMs)
    expect(stream.lastId).toMatch(/^v1\./)
    expect(await refused(one, `?token=${token}`, { key: '' })).toMatchObject({ status: 401 })
  })

  test('may have so many streams and no more', async () => {
    const small = await followEpochs({ streamsPerKeyMax: 1 })
    try {
      await openStream(small, '')
      expect(await refused(small, '')).toMatchObject({ status: 429, code: 'too_many_streams' })
    } finally {
      for (const each of open.splice(0)) each.close()
      await small.close()
    }
  })
})

function rawRequest(apiKey: string): string {
  return `GET /v1/events/stream HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${apiKey}\r\n\r\n`
}

describe('ends', () => {
  test('of a drain are sent with the position and without the last chunk, and the stream continues elsewhere', async () => {
    const third = await followEpochs()
    const draining = await openStream(third, '?task_id=t-drain')
    const sent = [event('t-drain'), event('t-drain')]
    await world.append(sent.slice(0, 1))
    await eventually('one event', () => draining.events.length === 1)
    await third.drain?.()
    expect(await draining.ended).toBe('cut')
    expect(third.ready().ready).toBe(false)
    await third.close()
    await world.append(sent.slice(1))
    const next = await openStream(one, '?task_id=t-drain', { headers: { 'Last-Event-ID': draining.lastId ?? '' } })
    await eventually('one event', () => next.events.length === 1)
    expect([...draining.events, ...next.events].map(({ data }) => data)).toEqual(dataOf(sent))
  })

  test('a stream that was asked for behind another request starts after the answer to that', async () => {
    await openStream(one, '') // From now on the key is known without a look-up.
    const socket = connect(one.port, '127.0.0.1')
    let text = ''
    socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk))
    const unknown = generateApiKey().key
    socket.write(rawRequest(unknown) + rawRequest(key))
    await eventually('the checkpoint', () => text.includes('stream.checkpoint'))
    socket.destroy()
    expect(text.match(/HTTP\/1\.1 \d{3}/g)).toEqual(['HTTP/1.1 401', 'HTTP/1.1 200'])
    expect(text.indexOf('HTTP/1.1 200')).toBeLessThan(text.indexOf('event: stream.checkpoint'))
  })

  test('an HTTP/1.0 client gets the stream without chunks', async () => {
    const socket = connect(one.port, '127.0.0.1')
    let text = ''
    socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk))
    socket.write(`GET /v1/events/stream?task_id=t-old HTTP/1.0\r\nAuthorization: Bearer ${key}\r\n\r\n`)
    await eventually('the checkpoint', () => text.includes('stream.checkpoint'))
    const sent = event('t-old')
    await world.append([sent])
    await eventually('the event', () => text.includes('task.progress'))
    socket.destroy()
    expect(text).toMatch(/\r\n\r\nretry: \d+\nevent: stream\.checkpoint\n/)
    expect(text).toContain(`event: task.progress\ndata: ${sent.data.toString()}\nid: v1.`)
  })
})

test('a reader that falls behind gets everything, from memory and from Postgres, while others stay live', async () => {
  const slow = await openStream(one, '?agent=firehose')
  const fast = await openStream(one, '?agent=firehose')
  slow.response.pause()
  const events: LogEvent[] = []
  for (let round = 0; round < 30; round += 1) {
    const batch = Array.from({ length: 20 }, (_, index) => `t-slow-${index}`).map((taskId) =>
      event(taskId, { agent: 'firehose', data: padded(taskId, round, 8000) }),
    )
    events.push(...batch)
    await world.append(batch)
  }
  await eventually('the fast reader has all events', () => fast.events.length === events.length)
  expect(slow.events.length).toBeLessThan(events.length)
  slow.response.resume()
  await eventually('the slow reader has all events', () => slow.events.length >= events.length)
  expect(slow.events.map(({ data }) => data).toSorted()).toEqual(dataOf(events).toSorted())
})
