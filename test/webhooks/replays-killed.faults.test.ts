import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { newTypeId, typeIdToUuid } from '@ariftly/events'
import {
  type Receiver,
  type ServiceProcess,
  type World,
  byForm,
  createWorld,
  eventually,
  insertEvents,
  sampleRow,
  startReceiver,
} from '@ariftly/testkit'
import { startApi, type ApiAnswer, type ApiClient } from '../support/api-client.ts'

/** More than are made pending, 3,000 at most, before a kill: it is to fall into the midst. */
const EVENTS = byForm({ short: 3700, long: 20_000 })
const PARTITIONS = 3
const KILLS = byForm({ short: 1, long: 5 })
/** Sent before each kill. What makes deliveries pending still runs then, as it waits while 2,000 are due. */
const BEFORE_KILL = 600
const PATIENCE = { timeoutMs: 30_000 + EVENTS * 20, everyMs: 50 }

let world: World
let receiver: Receiver
let api: ApiClient
let worker: ServiceProcess
let ids: readonly string[]

beforeAll(async () => {
  world = await createWorld({
    partitions: PARTITIONS,
    env: { WEBHOOK_WORKER_DEAD_MS: '4000', WEBHOOK_TIMEOUT_MS: '60000' },
  })
  api = await startApi(world, await world.apiKey('mine'))
  ids = await project()
  worker = await world.startService('webhook-worker')
})
afterAll(async () => {
  await api?.close()
  await world?.close()
})
beforeEach(async () => {
  receiver = await startReceiver()
})
afterEach(() => receiver.close())

/** A day of history, as the projector would have written it. */
async function project(): Promise<readonly string[]> {
  const startMs = Date.now() - 86_400_000
  const events = Array.from({ length: EVENTS }, (_, index) => {
    const appendedAtMs = startMs + Math.floor((index / EVENTS) * 86_000_000)
    const place = { partition: index % PARTITIONS, offset: Math.floor(index / PARTITIONS), appendedAtMs }
    return sampleRow({ tenant: 'mine', taskId: `task-${index}`, ...place })
  })
  for (let at = 0; at < EVENTS; at += 2000) await insertEvents(world.admin, events.slice(at, at + 2000))
  await world.admin.query(
    `INSERT INTO projection_offsets (projection, epoch, topic, partition, next_offset)
     SELECT 'events', 1, $1, partition, $2 FROM generate_series(0, $3 - 1) AS partition ON CONFLICT DO NOTHING`,
    [world.topics.topic, Math.ceil(EVENTS / PARTITIONS), PARTITIONS],
  )
  return events.map(({ id }) => id)
}

/** Deliveries of all these events that have failed, or wait for an hour. */
async function insertTried(webhook: string, state: 'failed' | 'pending'): Promise<void> {
  await world.admin.query(
    `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, ordering_key, epoch, partition, "offset", state,
                             finished_at, due_at, attempt, attempt_count, last_error_class, last_attempt_at)
     SELECT d.id, e.tenant_id, $1, e.id, e.type, e.task_id, e.epoch, e.partition, e."offset", $4,
            CASE $4 WHEN 'failed' THEN now() END, CASE $4 WHEN 'pending' THEN now() + interval '1 h' END, 7, 6, 'timeout', now()
       FROM unnest($2::uuid[], $3::uuid[]) AS d (id, event_id) JOIN events e ON e.id = d.event_id`,
    [
      typeIdToUuid('whk', webhook),
      ids.map(() => typeIdToUuid('dlv', newTypeId('dlv'))),
      ids.map((id) => typeIdToUuid('evt', id)),
      state,
    ],
  )
}

/** The replay or redelivery of an answer; of one without a location, what a change of a webhook has asked for. */
async function progress(started: ApiAnswer): Promise<Readonly<Record<string, unknown>>> {
  const location = started.headers.get('location')
  if (location !== null) return (await api.call('GET', location)).json
  const { rows } = await world.admin.query<Record<string, unknown>>(
    'SELECT state AS status, scanned_count, delivery_count FROM redeliveries WHERE drained_webhook_id IS NOT NULL',
  )
  return rows[0] ?? {}
}

/** Kills the worker in the midst of what `start` makes due for these webhooks, until all of it is sent; answers as `start` did. */
async function sendWithKills(
  webhooks: readonly string[],
  start: () => Promise<readonly ApiAnswer[]>,
): Promise<readonly ApiAnswer[]> {
  // Each kill is while attempts are running, however late.
  let until = BEFORE_KILL
  receiver.respondWith(() => (receiver.requests.length < until ? {} : { instead: 'hang' }))
  const started = await start()
  for (let kill = 1; kill <= KILLS; kill++) {
    await receiver.received(until, PATIENCE)
    if (kill === 1) for (const one of started) expect((await progress(one))['status']).toBe('running')
    worker.kill('SIGKILL')
    await worker.exited
    until = kill === KILLS ? Number.POSITIVE_INFINITY : receiver.requests.length + BEFORE_KILL
    worker = await world.startService('webhook-worker')
  }
  for (const one of started) {
    await eventually('it is completed', async () => (await progress(one))['status'] === 'completed', PATIENCE)
  }
  for (const webhook of webhooks) {
    const pending = async () => (await api.call('GET', `/v1/webhooks/${webhook}`)).json['pending_count']
    await eventually('nothing is pending', async () => (await pending()) === 0, PATIENCE)
  }
  return started
}

function expectAllSent(webhook: string): void {
  const received = receiver.requests
    .filter(({ headers }) => headers['x-ariftly-webhook-id'] === webhook)
    .map(({ headers }) => String(headers['webhook-id']))
  const seen = new Set(received)
  expect(ids.filter((id) => !seen.has(id))).toEqual([])
  // Duplicates are only the deliveries that were being sent at a kill.
  expect(received.length - ids.length).toBeLessThanOrEqual(KILLS * 10)
}

test(`a replay of ${EVENTS} events delivers each, as many as its dry run said, while its worker is killed ${KILLS} times`, async () => {
  const webhook = await api.createWebhook({ url: receiver.url, events: ['*'] })
  const path = `/v1/webhooks/${webhook}/replay`
  const after = new Date(Date.now() - 2 * 86_400_000).toISOString()
  const dry = await api.call('POST', path, { after, dry_run: true })
  await eventually('the replay is completed', async () => (await progress(dry))['status'] === 'completed', PATIENCE)
  expect(receiver.requests).toEqual([])

  const [replay] = await sendWithKills([webhook], async () => [await api.call('POST', path, { after })])
  expectAllSent(webhook)
  expect((await progress(dry))['delivery_count']).toBe(EVENTS)
  expect(replay && (await progress(replay))['delivery_count']).toBe(EVENTS)
}, 600_000)

test(`${EVENTS} failed deliveries are sent again, and as many that wait by another URL, while their worker is killed ${KILLS} times`, async () => {
  const failed = await api.createWebhook({ url: receiver.url, events: ['*'] })
  const waiting = await api.createWebhook({ url: `${receiver.url}/former`, events: ['*'] })
  await insertTried(failed, 'failed')
  await insertTried(waiting, 'pending')
  const filter = { webhook_id: failed, error_class: 'timeout' }
  const started = await sendWithKills([failed, waiting], async () => [
    await api.call('POST', '/v1/deliveries/redeliver', { filter }),
    await api.call('PATCH', `/v1/webhooks/${waiting}`, { url: receiver.url }),
  ])
  for (const webhook of [failed, waiting]) expectAllSent(webhook)
  for (const one of started) {
    expect(await progress(one)).toMatchObject({ status: 'completed', scanned_count: EVENTS, delivery_count: EVENTS })
  }
}, 600_000)
