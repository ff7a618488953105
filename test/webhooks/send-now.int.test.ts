import { EventEmitter, once } from 'node:events'
import { typeIdToUuid } from '@ariftly/events'
import { eventually, startReceiver, type Receiver } from '@ariftly/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { startApi, type ApiAnswer, type ApiClient } from '../support/api-client.ts'
import { createWorkerWorld, type WorkerWorld } from './worker-world.ts'

const TENANT = 'mine'
/** Nothing that waits is sent within a test unless it is made due. */
const FOR_LONG = { WEBHOOK_RETRY_SCHEDULE_S: '3600,3600', WEBHOOK_PROBE_MS: '300000', WEBHOOK_TIMEOUT_MS: '60000' }

let fixture: WorkerWorld
let api: ApiClient
let receiver: Receiver
let webhook: string
let posted: readonly string[]

beforeAll(async () => {
  fixture = await createWorkerWorld(FOR_LONG)
  const key = await fixture.world.apiKey(TENANT, ['webhooks'])
  ;[api] = await Promise.all([startApi(fixture.world, key), fixture.startWorker()])
})
afterAll(async () => {
  await api?.close()
  await fixture?.close()
})
beforeEach(async () => {
  receiver = await startReceiver()
})
afterEach(async () => {
  await api.call('DELETE', `/v1/webhooks/${webhook}`)
  await receiver.close()
})

interface Delivery {
  readonly id: string
  readonly event_id: string
  readonly attempt_count: number
  readonly next_attempt_at: string | null
}

async function deliveries(): Promise<readonly Delivery[]> {
  const { json } = await api.call('GET', `/v1/webhooks/${webhook}/deliveries?limit=100`)
  return json['data'] as Delivery[]
}

/** A webhook whose deliveries, newest first, have all failed once and wait for an hour; the receiver answers again. */
async function failOnce(count: number, more: object = {}, tasks = count): Promise<readonly Delivery[]> {
  receiver.respondWith(() => ({ status: 500 }))
  webhook = await api.createWebhook({ url: receiver.url, events: ['task.*'], ...more })
  posted = (await fixture.post(TENANT, count, tasks)).map(({ id }) => id)
  await eventually('all have failed once', async () => {
    const found = await deliveries()
    const tried = found.filter(({ attempt_count: attempts }) => attempts === 1)
    return found.length === count && tried.length === (more === ORDERED ? tasks : count)
  })
  receiver.respondWith(() => ({}))
  return await deliveries()
}

const ORDERED = { ordering: 'task' }

function redeliver(id: string): Promise<ApiAnswer> {
  return api.call('POST', `/v1/deliveries/${id}/redeliver`)
}

function patch(changes: object): Promise<ApiAnswer> {
  return api.call('PATCH', `/v1/webhooks/${webhook}`, changes)
}

/** Counts of first deliveries. */
async function stats(): Promise<Readonly<Record<string, unknown>>> {
  return (await api.call('GET', `/v1/webhooks/${webhook}/stats?window=1h`)).json
}

const requestsFor = (eventId: string) => receiver.requests.filter(({ headers }) => headers['webhook-id'] === eventId)

describe('what waits for its next attempt is sent now', () => {
  test('by redelivering it: alone, with its attempts, and as a first delivery in the statistics', async () => {
    const [newest, other] = await failOnce(2)
    const { status, json } = await redeliver(newest?.id ?? '')
    expect({ status, json }).toMatchObject({ status: 202, json: { status: 'pending', attempt_count: 1 } })
    expect(Date.parse(String(json['next_attempt_at']))).toBeLessThan(Date.now() + 60_000)
    await fixture.reaches(webhook, { delivered: 1, pending: 1 })
    const { json: sent } = await api.call('GET', `/v1/deliveries/${newest?.id}`)
    expect(sent).toMatchObject({ status: 'delivered', attempt_count: 2, attempts: [{ attempt: 1 }, { attempt: 2 }] })
    expect(requestsFor(other?.event_id ?? '')).toHaveLength(1)
    const counts = { delivered_count: 1, attempt_count: 3, error_classes: { http_5xx: 2 } }
    await eventually('it is counted', async () => (await stats())['delivered_count'] === 1)
    expect(await stats()).toMatchObject(counts)
  })

  test('by a redelivery of pending ones', async () => {
    await failOnce(3)
    const answer = await api.call('POST', '/v1/deliveries/redeliver', {
      filter: { webhook_id: webhook, status: 'pending' },
    })
    expect(answer).toMatchObject({ status: 202, json: { filter: { webhook_id: webhook, status: 'pending' } } })
    await fixture.reaches(webhook, { delivered: 3 })
    expect((await api.call('GET', answer.headers.get('location') ?? '')).json).toMatchObject({ delivery_count: 3 })
  })

  test('by another URL', async () => {
    await failOnce(3)
    await patch({ description: 'another' })
    await patch({ url: `${receiver.url}/other` })
    await fixture.reaches(webhook, { delivered: 3 })
    expect(receiver.requests.slice(3).map(({ path }) => path)).toEqual(Array(3).fill('/webhook/other'))
    expect((await api.call('GET', '/v1/redeliveries')).json['data']).not.toContainEqual(
      expect.objectContaining({ filter: { status: 'pending' } }),
    )
  })

  test('by enabling its webhook', async () => {
    await failOnce(3)
    await patch({ enabled: false })
    await redeliver((await deliveries())[0]?.id ?? '')
    await patch({ enabled: true })
    await fixture.reaches(webhook, { delivered: 3 })
    expect(receiver.requests).toHaveLength(6)
  })

  test('by a test that succeeds, and not by one that fails', async () => {
    await failOnce(2)
    receiver.respondWith(() => ({ status: 500 }))
    await api.call('POST', `/v1/webhooks/${webhook}/test`)
    receiver.respondWith(() => ({}))
    expect(await drains()).toBe(0)
    await api.call('POST', `/v1/webhooks/${webhook}/test`)
    await fixture.reaches(webhook, { delivered: 2 })
  })

  test('not twice: an attempt that is under way is left to end', async () => {
    const [delivery] = await failOnce(1)
    const held = new EventEmitter()
    receiver.respondWith(async () => {
      await once(held, 'end')
      return {}
    })
    await redeliver(delivery?.id ?? '')
    await receiver.received(2)
    const again = await redeliver(delivery?.id ?? '')
    expect(again).toMatchObject({ status: 202, json: { status: 'pending', next_attempt_at: null } })
    await patch({ url: `${receiver.url}/other` })
    await api.call('POST', '/v1/deliveries/redeliver', { filter: { webhook_id: webhook, status: 'pending' } })
    held.emit('end')
    await fixture.reaches(webhook, { delivered: 1 })
    expect(receiver.requests).toHaveLength(2)
  })

  test('in the order of its task, if its webhook keeps to it', async () => {
    const all = await failOnce(3, ORDERED, 1)
    const idOf = (place: number) => all.find((one) => one.event_id === posted[place])?.id ?? ''
    for (const place of [2, 1, 0]) expect((await redeliver(idOf(place))).status).toBe(202)
    await fixture.reaches(webhook, { delivered: 3 })
    const sent = receiver.requests.map(({ headers }) => headers['webhook-id'])
    expect(sent).toEqual([posted[0], ...posted])
  })
})

describe('of a failing webhook', () => {
  test('the oldest is probed soon after one was redelivered, and the first success sends all', async () => {
    // As many failures as make it count as failing: a further delivery would not be tried.
    const all = (await failOnce(10)).toSorted((a, b) => (a.id < b.id ? -1 : 1))
    const uuid = typeIdToUuid('whk', webhook)
    const endpoint = async () =>
      (
        await fixture.world.admin.query<{ failing: boolean }>(
          'SELECT next_probe_at IS NOT NULL AS failing FROM webhook_endpoints WHERE webhook_id = $1',
          [uuid],
        )
      ).rows[0]
    expect(await endpoint()).toEqual({ failing: true })
    // As if the last probe was a minute ago.
    await fixture.world.admin.query(
      `UPDATE webhook_endpoints SET next_probe_at = next_probe_at - interval '1 min' WHERE webhook_id = $1`,
      [uuid],
    )
    await redeliver(all.at(-1)?.id ?? '')
    await fixture.reaches(webhook, { delivered: 10 })
    expect(receiver.requests[10]?.headers['webhook-id']).toBe(all[0]?.event_id)
    expect(await endpoint()).toEqual({ failing: false })
  })
})

/** Redeliveries that were asked for by changes of the webhook. */
async function drains(): Promise<number> {
  const { rows } = await fixture.world.admin.query<{ n: number }>(
    'SELECT count(*)::int AS n FROM redeliveries WHERE drained_webhook_id = $1',
    [typeIdToUuid('whk', webhook)],
  )
  return rows[0]?.n ?? 0
}
