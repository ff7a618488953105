import { createHmac } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { renderEvent, typeIdToUuid } from '@ariftly/events'
import { eventually, startReceiver, type Receiver } from '@ariftly/testkit'
import { Webhook } from 'standardwebhooks'
import { createWorkerWorld, SECRET, type WorkerWorld } from './worker-world.ts'

describe('the webhook worker, on real Kafka, Postgres and Redis', () => {
  let fixture: WorkerWorld
  let receiver: Receiver

  beforeAll(async () => {
    fixture = await createWorkerWorld()
    await fixture.startWorker()
  })
  afterAll(() => fixture.close())
  beforeEach(async () => {
    receiver = await startReceiver()
  })
  afterEach(() => receiver.close())

  test('delivers each matching event once, signed, with the bytes of its data', async () => {
    const webhook = await fixture.subscribe({ tenant: 'one', url: receiver.url })
    const events = await fixture.post('one', 20)
    await fixture.post('other', 5)
    await fixture.reaches(webhook, { delivered: 20 })

    const ids = receiver.requests.map(({ headers }) => headers['webhook-id'])
    expect(ids).toHaveLength(20)
    expect(new Set(ids)).toEqual(new Set(events.map(({ id }) => id)))
    for (const { body, headers } of receiver.requests) {
      const event = events.find(({ id }) => id === headers['webhook-id'])
      expect(event && renderEvent(event).equals(body)).toBe(true)
      expect(headers['x-ariftly-signature']).toBe(`sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`)
      new Webhook(SECRET, { format: 'raw' }).verify(body, headers as Record<string, string>)
      const traceparent = expect.stringMatching(/^00-0123456789abcdef0123456789abcdef-[0-9a-f]{16}-01$/)
      const own = { 'x-own': 'mine', 'content-type': 'application/json', 'user-agent': 'Ariftly-Webhooks/1' }
      expect(headers).toMatchObject({ 'x-ariftly-webhook-id': webhook, traceparent, ...own })
    }
    const { rows } = await attemptsOf(webhook)
    expect(rows).toHaveLength(20)
    expect(rows[0]).toMatchObject({ attempt: 1, status: 200, error_class: null, address: '127.0.0.1' })
  })

  test('tries again under the same webhook-id until the receiver takes it', async () => {
    const webhook = await fixture.subscribe({ tenant: 'retried', url: receiver.url })
    receiver.respondWith(() => (receiver.requests.length < 3 ? { status: 500, body: 'not now' } : {}))
    const [event] = await fixture.post('retried', 1)
    await fixture.reaches(webhook, { delivered: 1 })
    expect(receiver.requests.map(({ headers }) => headers['webhook-id'])).toEqual([event?.id, event?.id, event?.id])
    const { rows } = await attemptsOf(webhook)
    expect(rows.map(({ status, error_class }) => [status, error_class])).toEqual([
      [500, 'http_5xx'],
      [500, 'http_5xx'],
      [200, null],
    ])
    expect(rows[0]?.response_body.toString()).toBe('not now')
  })

  test('a delivery has failed after the last attempt of the schedule, with the reason', async () => {
    const webhook = await fixture.subscribe({ tenant: 'given-up', url: receiver.url })
    receiver.respondWith(() => ({ status: 404 }))
    await fixture.post('given-up', 1)
    await fixture.reaches(webhook, { failed: 1 })
    const { rows } = await attemptsOf(webhook)
    expect(rows.map(({ error_class, next_attempt_at }) => [error_class, next_attempt_at === null])).toEqual([
      ['http_4xx', false],
      ['http_4xx', false],
      ['http_4xx', false],
      ['http_4xx', true],
    ])
  })

  test('disables a webhook whose endpoint answers 410, and keeps its pending deliveries', async () => {
    const webhook = await fixture.subscribe({ tenant: 'gone', url: receiver.url })
    receiver.respondWith(() => ({ status: 410 }))
    await fixture.post('gone', 1)
    await eventually('the webhook is disabled', async () => {
      const { rows } = await fixture.world.admin.query<{ enabled: boolean; disabled_reason: string | null }>(
        'SELECT enabled, disabled_reason FROM webhooks WHERE id = $1',
        [typeIdToUuid('whk', webhook)],
      )
      return rows[0]?.enabled === false && rows[0].disabled_reason === 'gone'
    })
    expect(await fixture.states(webhook)).not.toHaveProperty('failed')
    expect(await fixture.states(webhook)).not.toHaveProperty('delivered')
  })

  test('matches a reposted event once, and no dead letter', async () => {
    const webhook = await fixture.subscribe({ tenant: 'reposted', url: receiver.url })
    const [event] = await fixture.post('reposted', 1)
    if (event === undefined) throw new Error('nothing was posted')
    await fixture.append([event, { ...event, data: Buffer.from('not json') }])
    await fixture.append([{ ...event, data: Buffer.from('{"no":"task_id"}') }])
    const last = await fixture.post('reposted', 1)
    await eventually('the last event is delivered', () =>
      receiver.requests.some(({ headers }) => headers['webhook-id'] === last[0]?.id),
    )
    await fixture.reaches(webhook, { delivered: 2 })
    expect(receiver.requests).toHaveLength(2)
  })

  test('no dead or slow endpoint delays another', async () => {
    const slow = await startReceiver()
    slow.respondWith(() => ({ instead: 'hang' }))
    try {
      await fixture.subscribe({ tenant: 'neighbour', url: slow.url })
      const healthy = await fixture.subscribe({ tenant: 'neighbour', url: receiver.url })
      await fixture.post('neighbour', 50)
      await fixture.reaches(healthy, { delivered: 50 })
      expect(slow.requests.length).toBeLessThan(50)
    } finally {
      await slow.close()
    }
  })

  test('probes a failing endpoint one delivery at a time, fails none of them, and opens it with the first success', async () => {
    const webhook = await fixture.subscribe({ tenant: 'failing', url: receiver.url })
    receiver.respondWith(() => ({ status: 503 }))
    await fixture.post('failing', 40)
    await eventually('2 probes', async () => (await attemptsOf(webhook)).rows.filter(({ probe }) => probe).length >= 2)
    expect(await fixture.states(webhook)).not.toHaveProperty('failed')
    receiver.respondWith(() => ({}))
    await fixture.reaches(webhook, { delivered: 40 })
  })

  test('delivers the events of one task one after another under ordering: task', async () => {
    const webhook = await fixture.subscribe({ tenant: 'ordered', url: receiver.url, ordering: 'task' })
    let fail = true
    receiver.respondWith(({ headers }) => {
      if (headers['webhook-id'] !== events[0]?.id || !fail) return {}
      fail = false
      return { status: 500 }
    })
    const events = await fixture.post('ordered', 30, 3)
    await fixture.reaches(webhook, { delivered: 30 })
    const received = receiver.requests.map(({ headers }) => headers['webhook-id'])
    for (const task of ['task-0', 'task-1', 'task-2']) {
      const wanted = events.filter(({ taskId }) => taskId === task).map(({ id }) => id)
      const got = received.filter((id) => wanted.includes(id as string))
      expect([...new Set(got)]).toEqual(wanted)
    }
  })

  test('keeps to the rate limit of a webhook', async () => {
    await fixture.subscribe({ tenant: 'limited', url: receiver.url, rateLimit: 10 })
    const startedAt = Date.now()
    await fixture.post('limited', 15)
    await eventually('15 requests', () => receiver.requests.length === 15)
    expect(Date.now() - startedAt).toBeGreaterThan(900)
  })

  test('a delivery whose lease has ended is due again, under a new attempt', async () => {
    const webhook = await fixture.subscribe({ tenant: 'leased', url: receiver.url })
    await fixture.post('leased', 1)
    await fixture.reaches(webhook, { delivered: 1 })
    await fixture.world.admin.query(
      `UPDATE deliveries SET state = 'queued', lease_until = now() - interval '1 s', finished_at = NULL, attempt = 5,
              started_attempt = 5
        WHERE webhook_id = $1`,
      [typeIdToUuid('whk', webhook)],
    )
    await fixture.reaches(webhook, { delivered: 1 })
    expect(receiver.requests).toHaveLength(2)
    expect((await attemptsOf(webhook)).rows.map(({ attempt }) => attempt)).toEqual([1, 6])
  })

  async function attemptsOf(webhook: string) {
    return await fixture.world.admin.query<{
      attempt: number
      probe: boolean
      status: number | null
      error_class: string | null
      address: string | null
      response_body: Buffer
      next_attempt_at: Date | null
    }>('SELECT * FROM attempts WHERE webhook_id = $1 ORDER BY delivery_id, attempt', [typeIdToUuid('whk', webhook)])
  }
})
