import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import {
  eventually,
  startReceiver,
  type ReceivedRequest,
  type Receiver,
  startCollector,
  type Collector,
  type ReceivedSpan,
} from '@ariftly/testkit'
import { followStream, type FollowedStream } from '../support/follow-stream.ts'
import { startStandalone, type Standalone } from '../support/standalone.ts'

let collector: Collector
let system: Standalone
let receiver: Receiver
let stream: FollowedStream
let topic: string

beforeAll(async () => {
  collector = await startCollector()
  system = await startStandalone(collector.env)
  topic = system.env['KAFKA_TOPIC'] ?? ''
  receiver = await startReceiver()
  stream = await followStream(system.url, system.apiKey)
  await system.post('/v1/webhooks', JSON.stringify({ url: `${receiver.url}?key=hidden`, events: ['task.*'] }), 201)
})

afterAll(async () => {
  await stream?.close()
  await receiver?.close()
  await system?.close()
  await collector?.close()
})

/** Posts events of a task and gives their ids, when the webhook and the stream have had them all. */
async function post(task: string, count: number, headers: Record<string, string> = {}): Promise<readonly string[]> {
  const events = Array.from({ length: count }, () => ({ type: 'task.progress', task_id: task, data: { message: 'm' } }))
  const response = await system.request('/v1/events', {
    method: 'POST',
    body: JSON.stringify(count === 1 ? events[0] : events),
    headers: { 'content-type': 'application/json', ...headers },
  })
  expect(response.status).toBe(202)
  const { data } = (await response.json()) as { data: readonly { id: string }[] }
  const ids = data.map(({ id }) => id)
  await eventually('all events are delivered', () => ids.every((id) => webhookOf(id) !== undefined))
  await eventually('all its events', () => stream.events.filter((event) => event.task_id === task).length >= count)
  return ids
}

function webhookOf(id: string | undefined): ReceivedRequest | undefined {
  return receiver.requests.find(({ headers }) => headers['webhook-id'] === id)
}

/** The spans of a trace, once it has the expected number. */
async function traceOf(traceId: string, count: number): Promise<readonly ReceivedSpan[]> {
  const found = (): readonly ReceivedSpan[] => collector.spans().filter((span) => span.traceId === traceId)
  await eventually('all spans are exported', () => found().length >= count)
  return found()
}

/** What each span of an event's trace is, in the order of the event's way. */
const WAY = [
  { name: 'POST /v1/events', kind: 'server', scope: 'ariftly-ingest' },
  { name: 'send task.progress', kind: 'internal', scope: 'ariftly-ingest' },
  { name: 'project task.progress', kind: 'consumer', scope: 'ariftly-projector' },
  { name: 'stream task.progress', kind: 'consumer', scope: 'ariftly-stream-gateway' },
  { name: 'match task.progress', kind: 'consumer', scope: 'ariftly-webhook-worker' },
  { name: 'POST', kind: 'client', scope: 'ariftly-webhook-worker' },
]
const OPERATIONS = ['send', 'project', 'stream', 'match'] as const

function inOrder(spans: readonly ReceivedSpan[]): readonly ReceivedSpan[] {
  return spans.toSorted((a, b) => placeOf(a) - placeOf(b))
}

function placeOf({ name }: ReceivedSpan): number {
  return WAY.findIndex((step) => step.name === name)
}

function traceIdOf(request: ReceivedRequest | undefined): string {
  return /^00-(\w{32})-/.exec(String(request?.headers['traceparent']))?.[1] ?? ''
}

describe('an event that is posted', () => {
  test("continues its caller's trace, through every service to the webhook", async () => {
    const [traceId, parentId] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7']
    const [id] = await post('of-a-caller', 1, { traceparent: `00-${traceId}-${parentId}-01` })
    const spans = inOrder(await traceOf(traceId, WAY.length))
    expect(spans.map(({ name, kind, scope }) => ({ name, kind, scope }))).toEqual(WAY)
    const [request, ...others] = spans
    expect(request?.parentSpanId).toBe(parentId)
    expect(others.map(({ parentSpanId }) => parentSpanId)).toEqual(others.map(() => request?.spanId))
    expect(new Set(spans.map(({ resource }) => resource['service.name']))).toEqual(new Set(['ariftly-standalone']))
    expect(request?.attributes).toMatchObject({
      'http.request.method': 'POST',
      'http.route': '/v1/events',
      'url.path': '/v1/events',
      'http.response.status_code': 202,
    })
    expect(others[1]?.attributes).toMatchObject({
      'messaging.system': 'kafka',
      'messaging.destination.name': topic,
      'cloudevents.event_id': id,
      'ariftly.tenant': 'default',
    })
    const attempt = others.at(-1)
    expect(webhookOf(id)?.headers['traceparent']).toBe(`00-${traceId}-${attempt?.spanId}-01`)
    expect(attempt?.attributes).toMatchObject({ 'server.address': '127.0.0.1', 'http.response.status_code': 200 })
    expect(JSON.stringify(spans)).not.toContain('hidden')
  })

  test('has a trace of its own when its caller has none', async () => {
    const [id] = await post('of-nobody', 1)
    const traceId = traceIdOf(webhookOf(id))
    const spans = inOrder(await traceOf(traceId, WAY.length))
    expect(spans.map(({ name }) => name)).toEqual(WAY.map(({ name }) => name))
    expect(spans[0]?.parentSpanId).toBe('')
  })

  test('is in the batch of each service, which is linked to its trace', async () => {
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4737'
    await post('of-a-batch', 20, { traceparent: `00-${traceId}-00f067aa0ba902b7-01` })
    const [request] = inOrder(await traceOf(traceId, 1))
    for (const operation of OPERATIONS) {
      const batches = await eventually('the batch is linked', () => {
        const linked = collector
          .spans()
          .filter(
            ({ name, links }) => name === `${operation} ${topic}` && links.some((link) => link.traceId === traceId),
          )
        const messages = linked.reduce(
          (sum, { attributes }) => sum + Number(attributes['messaging.batch.message_count']),
          0,
        )
        return messages >= 20 ? linked : undefined
      })
      for (const { traceId: own, kind, links } of batches ?? []) {
        expect(own).not.toBe(traceId)
        expect(kind).toBe(operation === 'send' ? 'producer' : 'consumer')
        expect(links).toContainEqual({ traceId, spanId: request?.spanId })
      }
    }
    // One span in each batch that had events of the request, not one an event.
    const projected = (await traceOf(traceId, 1)).filter(({ name }) => name === 'project task.progress')
    expect(projected.length).toBeLessThan(20)
  })

  test('makes no span, and continues the trace, when its caller does not sample it', async () => {
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4738'
    const [id] = await post('unsampled', 1, { traceparent: `00-${traceId}-00f067aa0ba902b7-00` })
    expect(webhookOf(id)?.headers['traceparent']).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`))
    // Spans are sent in the order in which they end: a later event's have arrived, so these would have too.
    const [later] = await post('after-unsampled', 1)
    await traceOf(traceIdOf(webhookOf(later)), WAY.length)
    const spans = collector.spans()
    expect(spans.filter((span) => span.traceId === traceId)).toEqual([])
    expect(spans.filter(({ links }) => links.some((link) => link.traceId === traceId))).toEqual([])
  })

  test.each([
    ['nonsense', 'nonsense'],
    ['capitals', '00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01'],
    ['no trace id', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`],
    ['a version that is none', 'ff-4bf92f3577b34da6a3ce929d0e0e4739-00f067aa0ba902b7-01'],
    ['a long one', `00-4bf92f3577b34da6a3ce929d0e0e4739-00f067aa0ba902b7-01${'-x'.repeat(1000)}`],
  ])('begins a trace of its own instead of %s in traceparent', async (_, traceparent) => {
    const [id] = await post('of-a-vandal', 1, { traceparent })
    const traceId = traceIdOf(webhookOf(id))
    expect(traceparent.toLowerCase()).not.toContain(traceId)
    const spans = inOrder(await traceOf(traceId, WAY.length))
    expect(spans.map(({ name }) => name)).toEqual(WAY.map(({ name }) => name))
  })
})

test('a request that is refused, and one of the api, have their span too', async () => {
  await system.request('/v1/events', { method: 'POST', body: '{', headers: { 'content-type': 'application/json' } })
  await system.request('/v1/events/evt_01m88y3fz3eeksq399rkr6wnx3?secret=1')
  const spanOf = (status: number, name: string): Promise<ReceivedSpan | undefined> =>
    eventually('the span is exported', () =>
      collector
        .spans()
        .find((span) => span.name === name && Number(span.attributes['http.response.status_code']) === status),
    )
  expect(await spanOf(400, 'POST /v1/events')).toMatchObject({ failed: false, scope: 'ariftly-ingest' })
  expect(await spanOf(400, 'GET /v1/events/{id}')).toMatchObject({ failed: false, scope: 'ariftly-api' })
  expect(JSON.stringify(collector.spans())).not.toContain('secret=1')
})
