import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { createStreamIds } from '@ariftly/http'
import { createKeyring } from '@ariftly/keyring'
import { eventually, startReceiver, type Receiver } from '@ariftly/testkit'
import { followStream, type FollowedStream } from '../support/follow-stream.ts'
import { startStandalone, type Standalone } from '../support/standalone.ts'

/** Each of a task of its own, so that they are on all partitions. */
const EVENTS = 40

let system: Standalone
let receiver: Receiver
let stream: FollowedStream
let ids: readonly string[]

beforeAll(async () => {
  system = await startStandalone()
  receiver = await startReceiver()
  stream = await followStream(system.url, system.apiKey)
  ids = [...(await send(0)), ...(await send(EVENTS))]
  expect(stream.events).toHaveLength(ids.length)
  await eventually('all events are listed', async () => (await listed()) === ids.length)
})

afterAll(async () => {
  await stream?.close()
  await receiver?.close()
  await system?.close()
})

/** Posts events and waits until the stream has shown them. */
async function send(from: number): Promise<readonly string[]> {
  const events = Array.from({ length: EVENTS }, (_, index) => {
    const task = `task-${from + index}`
    return { type: 'task.progress', task_id: task, data: { task_id: task, message: 'm' } }
  })
  const answer = await system.post('/v1/events', JSON.stringify(events), 202)
  await stream.shown(from + EVENTS)
  return (answer as { data: { id: string }[] }).data.map(({ id }) => id)
}

async function listed(): Promise<number> {
  return ((await (await system.request('/v1/events?limit=500')).json()) as { data: unknown[] }).data.length
}

/** The ids of what a stream has shown, in its order. */
function shownIds(): readonly string[] {
  return stream.events.map(({ id }) => id)
}

async function createWebhook(): Promise<string> {
  const body = JSON.stringify({ url: receiver.url, events: ['*'], secret: 'your-signing-secret' })
  return ((await system.post('/v1/webhooks', body, 201)) as { id: string }).id
}

/** Starts a replay to a new webhook and waits for its end. */
async function replay(body: object): Promise<Readonly<Record<string, unknown>>> {
  const webhookId = await createWebhook()
  const { id } = (await system.post(`/v1/webhooks/${webhookId}/replay`, JSON.stringify(body), 202)) as { id: string }
  return await eventually('the replay has ended', async () => {
    const found = await (await system.request(`/v1/webhooks/${webhookId}/replays/${id}`)).json()
    const ended = found as Readonly<Record<string, unknown>>
    if (ended['status'] !== 'completed') throw new Error('it still runs')
    return ended
  })
}

/** What the webhook got, by the events' ids. */
function receivedBy(webhookId: unknown): readonly string[] {
  const requests = receiver.requests.filter(({ headers }) => headers['x-ariftly-webhook-id'] === webhookId)
  return requests.map(({ headers }) => String(headers['webhook-id']))
}

test('a replay from a position of a stream delivers exactly the events that the stream showed after it', async () => {
  // The last one is behind all of the first batch; the other one is in the midst of it, where each partition is somewhere else.
  for (const at of [EVENTS - 1, Math.floor(EVENTS / 3)]) {
    const from = stream.events[at]?.position ?? ''
    const after = shownIds().slice(at + 1)
    const dry = await replay({ from, dry_run: true })
    expect(dry).toMatchObject({ from, truncated: false, delivery_count: after.length })
    const real = await replay({ from })
    expect(real).toMatchObject({ from, truncated: false, delivery_count: after.length })
    await eventually('the replayed events are received', () => receivedBy(real['webhook_id']).length >= after.length)
    expect(receivedBy(real['webhook_id']).toSorted()).toEqual([...after].toSorted())
    expect(receivedBy(dry['webhook_id'])).toEqual([])
  }
})

test('a replay from the newest position delivers nothing', async () => {
  expect(await replay({ from: stream.events.at(-1)?.position })).toMatchObject({ truncated: false, delivery_count: 0 })
})

test('a position of another log begins at the earliest event in reach and says so', async () => {
  const streamIds = createStreamIds(createKeyring(system.env['ENCRYPTION_KEYS'] ?? ''))
  const { position } = streamIds.open(stream.events.at(-1)?.position ?? '') ?? {}
  const from = streamIds.seal({ epoch: 2, position: position ?? new Float64Array() })
  const lost = await replay({ from })
  expect(lost).toMatchObject({ from, truncated: true, delivery_count: ids.length })
  const reachMs = Date.now() - Date.parse(String(lost['after']))
  expect(Math.abs(reachMs - 30 * 86_400_000)).toBeLessThan(60_000)
})

test('a forged position, a position together with a time, and neither of both are refused', async () => {
  const path = `/v1/webhooks/${await createWebhook()}/replay`
  const from = stream.events[0]?.position ?? ''
  const after = new Date(Date.now() - 60_000).toISOString()
  for (const [body, pointer, code] of [
    [{ from: `${from.slice(0, -1)}${from.endsWith('A') ? 'Q' : 'A'}` }, '/from', 'invalid_value'],
    [{ from: 'v1.x' }, '/from', 'invalid_value'],
    [{ from: '' }, '/from', 'invalid_value'],
    [{ from: 1 }, '/from', 'invalid_type'],
    [{ from, after }, '/from', 'invalid_value'],
    [{ from: null }, '/after', 'required'],
  ] as const) {
    expect(await system.post(path, JSON.stringify(body), 422)).toMatchObject({ errors: [{ pointer, code }] })
  }
})
