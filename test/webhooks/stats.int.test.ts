import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { eventually, startReceiver, type Receiver } from '@ariftly/testkit'
import { startApi, type ApiClient } from '../support/api-client.ts'
import { createWorkerWorld, type WorkerWorld } from './worker-world.ts'

const TENANT = 'mine'

let fixture: WorkerWorld
let api: ApiClient
let stranger: ApiClient
let receiver: Receiver

beforeAll(async () => {
  fixture = await createWorkerWorld()
  await fixture.startWorker()
  api = await startApi(fixture.world, await fixture.world.apiKey(TENANT, ['webhooks']))
  stranger = api.withKey(await fixture.world.apiKey('stranger', ['webhooks']))
})
afterAll(async () => {
  await api?.close()
  await fixture?.close()
})
beforeEach(async () => {
  receiver = await startReceiver()
})
afterEach(() => receiver.close())

interface Stats {
  readonly delivered_count: number
  readonly failed_count: number
  readonly attempt_count: number
  readonly error_classes: Readonly<Record<string, number>>
  readonly latency_ms: Readonly<Record<'p50' | 'p95' | 'p99', number>> | null
  readonly buckets: readonly { readonly at: string; readonly delivered_count: number }[]
}

async function statsOf(webhook: string, window = '1h'): Promise<Stats> {
  return (await api.call('GET', `/v1/webhooks/${webhook}/stats?window=${window}`)).json as unknown as Stats
}

describe('statistics of a webhook', () => {
  test('count first deliveries and their attempts, and neither tests, redeliveries nor replays', async () => {
    const webhook = await api.createWebhook({ url: receiver.url, events: ['task.*'] })
    expect(await statsOf(webhook)).toMatchObject({ delivered_count: 0, attempt_count: 0, latency_ms: null })
    await fixture.post(TENANT, 5)
    const counts = { delivered_count: 5, failed_count: 0, attempt_count: 5, error_classes: {} }
    await eventually('5 deliveries are counted', async () => (await statsOf(webhook)).delivered_count === 5)
    const stats = await statsOf(webhook)
    expect(stats).toMatchObject({ object: 'webhook_stats', webhook_id: webhook, window: '1h', ...counts })
    expect(stats.latency_ms?.p50).toBeGreaterThan(0)
    expect(stats.latency_ms?.p99).toBeGreaterThanOrEqual(stats.latency_ms?.p50 ?? Infinity)
    await api.call('POST', `/v1/webhooks/${webhook}/test`)
    const after = new Date(Date.now() - 600_000).toISOString()
    await api.call('POST', `/v1/webhooks/${webhook}/replay`, { after })
    await eventually('11 requests', () => receiver.requests.length === 11)
    // A redelivery sends recorded deliveries again.
    await fixture.reaches(webhook, { delivered: 5 })
    const filter = { webhook_id: webhook, status: 'delivered' }
    await eventually(
      'the redelivery is accepted',
      async () => (await api.call('POST', '/v1/deliveries/redeliver', { filter })).status === 202,
    )
    await eventually('16 requests', () => receiver.requests.length === 16)
    // A later first delivery is counted after all that was sent before it.
    await fixture.post(TENANT, 1)
    await eventually('more deliveries are counted', async () => (await statsOf(webhook)).delivered_count > 5)
    expect(await statsOf(webhook)).toMatchObject({ ...counts, delivered_count: 6, attempt_count: 6 })
    expect((await stranger.call('GET', `/v1/webhooks/${webhook}/stats`)).status).toBe(404)
    await api.call('DELETE', `/v1/webhooks/${webhook}`)
  })

  test('count failed attempts by their class and deliveries that have failed for good', async () => {
    receiver.respondWith(() => ({ status: 503 }))
    const webhook = await api.createWebhook({ url: receiver.url, events: ['task.*'] })
    await fixture.post(TENANT, 2)
    await eventually('2 failures are counted', async () => (await statsOf(webhook)).failed_count === 2)
    const stats = await statsOf(webhook)
    expect(stats).toMatchObject({ delivered_count: 0, failed_count: 2, latency_ms: null })
    expect(stats.error_classes).toEqual({ http_5xx: stats.attempt_count })
    expect(stats.attempt_count).toBe(receiver.requests.length)
    await api.call('DELETE', `/v1/webhooks/${webhook}`)
  })

  test('have a bucket for each stretch of the window, oldest first, up to the running one', async () => {
    const webhook = await api.createWebhook({ url: receiver.url, events: ['task.*'] })
    await fixture.post(TENANT, 1)
    await eventually('1 delivery is counted', async () => (await statsOf(webhook)).delivered_count === 1)
    for (const [window, count, lengthMs] of [
      ['1h', 60, 60_000],
      ['24h', 96, 900_000],
      ['7d', 168, 3_600_000],
    ] as const) {
      const askedMs = Date.now()
      const { buckets, ...all } = await statsOf(webhook, window)
      expect(all.delivered_count).toBe(1)
      const times = buckets.map(({ at }) => Date.parse(at))
      expect(times).toHaveLength(count)
      expect(times.every((ms, index) => ms % lengthMs === 0 && ms === (times[0] ?? 0) + index * lengthMs)).toBe(true)
      expect((times.at(-1) ?? 0) + lengthMs).toBeGreaterThan(askedMs)
      expect(buckets.reduce((sum, bucket) => sum + bucket.delivered_count, 0)).toBe(1)
    }
    await api.call('DELETE', `/v1/webhooks/${webhook}`)
  })
})
