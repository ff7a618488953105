import { createHmac } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { EVENT_TYPES, newTypeId, typeIdToUuid } from '@ariftly/events'
import { validateEvents } from '@ariftly/events/validate'
import { withTransaction } from '@ariftly/store'
import { eventually, startReceiver, untilBlocking, type ReceivedRequest, type Receiver } from '@ariftly/testkit'
import { Webhook } from 'standardwebhooks'
import { startApi, type ApiAnswer, type ApiClient } from '../support/api-client.ts'
import { createWorkerWorld, type WorkerWorld } from './worker-world.ts'

const TENANT = 'mine'
const OLD = 'the-old-signing-secret'
const NEW = 'the-new-signing-secret'

let fixture: WorkerWorld
let api: ApiClient
let stranger: ApiClient
let receiver: Receiver
let webhook: string

beforeAll(async () => {
  fixture = await createWorkerWorld()
  await fixture.startWorker()
  api = await startApi(fixture.world, await fixture.world.apiKey(TENANT, ['webhooks', 'events:read']))
  stranger = await startApi(fixture.world, await fixture.world.apiKey('stranger', ['webhooks']))
})
afterAll(async () => {
  await api?.close()
  await stranger?.close()
  await fixture?.close()
})
beforeEach(async () => {
  receiver = await startReceiver()
  webhook = await api.createWebhook({
    url: receiver.url,
    events: ['task.*'],
    secret: OLD,
    headers: { 'X-Own': 'mine' },
  })
})
afterEach(async () => {
  await api.call('DELETE', `/v1/webhooks/${webhook}`)
  await receiver.close()
})

async function post(path: string, body?: unknown): Promise<ApiAnswer> {
  return await api.call('POST', `/v1/webhooks/${webhook}${path}`, body)
}

async function statusOf(id: string): Promise<unknown> {
  return (await api.call('GET', `/v1/deliveries/${id}`)).json['status']
}

async function deliveries(query = ''): Promise<{ id: string; event_id: string; status: string }[]> {
  const answer = await api.call('GET', `/v1/webhooks/${webhook}/deliveries?limit=500${query}`)
  return answer.json['data'] as { id: string; event_id: string; status: string }[]
}

async function find(query: string, by = api): Promise<Readonly<Record<string, unknown>>[]> {
  return (await by.call('GET', `/v1/deliveries?${query}`)).json['data'] as Readonly<Record<string, unknown>>[]
}

/** Which of the two secrets sign a request: the seed's header, and the trio. */
function signers({ headers, body }: ReceivedRequest): { readonly seed: string[]; readonly trio: string[] } {
  const hmac = (secret: string): string => `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
  const verifies = (secret: string): boolean => {
    try {
      new Webhook(secret, { format: 'raw' }).verify(body, headers as Record<string, string>)
      return true
    } catch {
      return false
    }
  }
  return {
    seed: [OLD, NEW].filter((secret) => hmac(secret) === headers['x-ariftly-signature']),
    trio: [OLD, NEW].filter(verifies),
  }
}

describe('rotate-secret', () => {
  test('signs with both the old and the new secret until the overlap ends, in deliveries and tests', async () => {
    const rotated = await post('/rotate-secret', { secret: NEW, overlap_hours: 1 })
    expect(rotated).toMatchObject({ status: 200, json: { object: 'webhook', id: webhook, secret: NEW } })
    expect((await api.call('GET', `/v1/webhooks/${webhook}`)).json).not.toHaveProperty('secret')
    expect(await signersOfNext()).toEqual({ seed: [OLD], trio: [OLD, NEW] })
    const again = await post('/rotate-secret', {})
    expect({ status: again.status, code: again.json['code'] }).toEqual({ status: 409, code: 'rotation_under_way' })
    await fixture.world.admin.query(`UPDATE webhooks SET previous_secret_until = now() WHERE id = $1`, [
      typeIdToUuid('whk', webhook),
    ])
    expect(await signersOfNext()).toEqual({ seed: [NEW], trio: [NEW] })
    expect((await post('/rotate-secret')).json['secret']).toMatch(/^whsec_/)
  })

  test('without an overlap ends the old secret immediately, and rotations of several webhooks are independent', async () => {
    const both = [NEW, 'another-new-secret'].map((secret) => post('/rotate-secret', { secret, overlap_hours: 24 }))
    expect((await Promise.all(both)).map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409])
    const other = await api.createWebhook({ url: receiver.url, events: ['*'], secret: OLD })
    const path = `/v1/webhooks/${other}`
    expect((await api.call('POST', `${path}/rotate-secret`, { secret: NEW, overlap_hours: 0 })).status).toBe(200)
    await api.call('POST', `${path}/test`)
    expect(receiver.requests.map(signers)).toEqual([{ seed: [NEW], trio: [NEW] }])
    expect((await stranger.call('POST', `${path}/rotate-secret`)).status).toBe(404)
    await api.call('DELETE', path)
  })
})

describe('test', () => {
  test.each(EVENT_TYPES)('sends the example of %s like a delivery, and stores nothing', async (type) => {
    const answer = await post('/test', { type })
    expect(answer.status).toBe(200)
    const [request] = receiver.requests
    const body = JSON.parse(request?.body.toString() ?? '') as Record<string, unknown>
    expect(answer.json).toMatchObject({ attempt: 1, status: 200, error: null, event_id: body['id'], event_type: type })
    expect(Number.isInteger(answer.json['total_ms'])).toBe(true)
    expect(body).toMatchObject({ object: 'event', type, id: request?.headers['webhook-id'] })
    expect(request?.headers).toMatchObject({ 'x-own': 'mine', 'x-ariftly-webhook-id': webhook })
    const valid = validateEvents(request?.body ?? Buffer.alloc(0), 'json', {
      tenant: TENANT,
      nowMs: Date.now(),
      traceparent: null,
    }).next().value
    expect(valid).toMatchObject({ type: 'entries', entries: [{ ok: true }] })
    expect(await deliveries()).toEqual([])
    expect((await api.call('GET', `/v1/events/${String(body['id'])}`)).status).toBe(404)
  })

  test('answers with the attempt also when the receiver fails, and tries a disabled webhook', async () => {
    await api.call('PATCH', `/v1/webhooks/${webhook}`, { enabled: false })
    receiver.respondWith(() => ({ status: 503, body: 'down', headers: { 'x-why': 'maintenance' } }))
    const failed = { status: 503, error: 'http_5xx', response_body: 'down', next_attempt_at: null }
    expect((await post('/test')).json).toMatchObject({ ...failed, response_headers: { 'x-why': 'maintenance' } })
    receiver.respondWith(() => ({ instead: 'reset' }))
    expect((await post('/test')).json).toMatchObject({ status: null, error: 'connection_reset' })
    expect((await stranger.call('POST', `/v1/webhooks/${webhook}/test`)).status).toBe(404)
  })
})

describe('deliveries', () => {
  test('are found by event, task and webhook, with their state, and not by another tenant', async () => {
    receiver.respondWith(() => ({ status: 404, body: 'no such receiver' }))
    const [event] = await fixture.post(TENANT, 1)
    const { id: eventId = '', taskId } = event ?? {}
    await eventually(
      'the failed attempt is listed',
      async () => (await find(`event_id=${eventId}`))[0]?.['last_error_class'] === 'http_4xx',
    )
    const [delivery] = await find(`event_id=${eventId}`)
    const { id, created_at: createdAt } = delivery ?? {}
    const attempted = { last_response_status: 404, last_error_class: 'http_4xx', last_attempt_at: expect.any(String) }
    expect(delivery).toMatchObject({ object: 'delivery', task_id: taskId, webhook_id: webhook, ...attempted })
    for (const more of [
      'error_class=http_4xx',
      'type=task.progress',
      `after=${String(createdAt)}`,
      `task_id=${taskId}`,
    ]) {
      expect(await find(`webhook_id=${webhook}&${more}`)).toMatchObject([{ id }])
    }
    for (const more of ['error_class=timeout', 'type=task.failed', `before=${String(createdAt)}`, 'task_id=another']) {
      expect(await find(`webhook_id=${webhook}&${more}`)).toEqual([])
    }
    for (const query of [`event_id=${eventId}`, `webhook_id=${webhook}`, `task_id=${taskId}`]) {
      expect(await find(query, stranger)).toEqual([])
    }
  })
})

describe('redeliver', () => {
  test('sends a finished delivery again under its webhook-id', async () => {
    await fixture.post(TENANT, 1)
    await eventually('one delivery is delivered', async () => (await deliveries('&status=delivered')).length === 1)
    const [first] = await deliveries()
    const id = first?.id ?? ''
    const path = `/v1/deliveries/${id}/redeliver`
    const again = await api.call('POST', path)
    expect(again).toMatchObject({ status: 202, json: { object: 'delivery', id, status: 'pending', attempt_count: 1 } })
    expect(again.headers.get('location')).toBe(`/v1/deliveries/${id}`)
    await eventually('the delivery is delivered', async () => (await statusOf(id)) === 'delivered')
    expect(receiver.requests.map(({ headers }) => headers['webhook-id'])).toEqual([first?.event_id, first?.event_id])
    const { attempts } = (await api.call('GET', `/v1/deliveries/${id}`)).json
    expect((attempts as { attempt: number }[]).map(({ attempt }) => attempt)).toEqual([1, 2])
    expect((await stranger.call('POST', path)).status).toBe(404)
    await api.call('PATCH', `/v1/webhooks/${webhook}`, { enabled: false })
    expect((await api.call('POST', path)).status).toBe(202)
    expect(await api.call('POST', path)).toMatchObject({ status: 202, json: { status: 'pending', attempt_count: 2 } })
    await api.call('DELETE', `/v1/webhooks/${webhook}`)
    expect(await statusOf(id)).toBe('cancelled')
    const deleted = await api.call('POST', path)
    expect({ status: deleted.status, code: deleted.json['code'] }).toEqual({ status: 409, code: 'webhook_deleted' })
  })
})

/** A redelivery once it has ended, which its end does not change; a stranger does not see it. */
async function endedRedelivery(answer: ApiAnswer): Promise<Readonly<Record<string, unknown>>> {
  const path = answer.headers.get('location') ?? ''
  await eventually('its completion', async () => (await api.call('GET', path)).json['status'] === 'completed')
  for (const method of ['GET', 'DELETE'] as const) expect((await stranger.call(method, path)).status).toBe(404)
  return (await api.call('DELETE', path)).json
}

describe('redelivery by filter', () => {
  test('counts first, then sends failed deliveries again, and is shown to its tenant only', async () => {
    receiver.respondWith(() => ({ status: 404 }))
    // Two deliveries fail for good before their endpoint counts as failing.
    const posted = await fixture.post(TENANT, 2)
    await fixture.reaches(webhook, { failed: 2 })
    receiver.respondWith(() => ({}))
    const ask = async (more: object): Promise<ApiAnswer> =>
      await api.call('POST', '/v1/deliveries/redeliver', {
        filter: { webhook_id: webhook, error_class: 'http_4xx' },
        ...more,
      })
    const dry = await ask({ dry_run: true })
    expect(dry).toMatchObject({ status: 202, json: { object: 'redelivery', status: 'running', dry_run: true } })
    expect(await endedRedelivery(dry)).toMatchObject({ status: 'completed', delivery_count: 2 })
    expect((await fixture.states(webhook))['failed']).toBe(2)
    const real = await ask({})
    const filter = { webhook_id: webhook, error_class: 'http_4xx', status: 'failed' }
    expect(await endedRedelivery(real)).toMatchObject({
      status: 'completed',
      filter,
      scanned_count: 2,
      delivery_count: 2,
    })
    await fixture.reaches(webhook, { delivered: 2 })
    const sent = receiver.requests.slice(-2).map(({ headers }) => String(headers['webhook-id']))
    expect(new Set(sent)).toEqual(new Set(posted.map(({ id }) => id)))
  })
})

describe('replay', () => {
  const after = new Date(Date.now() - 3_600_000).toISOString()

  test('delivers what a disabled webhook has missed, as many as its dry run said', async () => {
    await api.call('PATCH', `/v1/webhooks/${webhook}`, { enabled: false })
    const missed = await fixture.post(TENANT, 40)
    await eventually('the missed events are projected', async () =>
      (await Promise.all(missed.map(({ id }) => stored(id)))).every(Boolean),
    )
    await eventually('all events are matched', matched)
    expect(await deliveries()).toEqual([])
    const dry = await ended(await post('/replay', { after, dry_run: true }))
    await api.call('PATCH', `/v1/webhooks/${webhook}`, { enabled: true })
    const seen = receiver.requests.length
    const real = await ended(await post('/replay', { after }))
    await eventually(
      'all replayed events are delivered',
      async () => (await deliveries('&status=delivered')).length === real['delivery_count'],
    )
    const sent = receiver.requests.slice(seen).map(({ headers }) => String(headers['webhook-id']))
    expect(dry['delivery_count']).toBe(sent.length)
    expect(new Set(sent).size).toBe(sent.length)
    expect(sent).toEqual(expect.arrayContaining(missed.map(({ id }) => id)))
    expect((await ended(await post('/replay', { after, status: 'failed' })))['delivery_count']).toBe(0)
    expect((await ended(await post('/replay', { after, types: ['task.failed'] })))['delivery_count']).toBe(0)
  })

  test('stops soon when it is cancelled: what it made and has not sent is cancelled too', async () => {
    await fixture.projected(40)
    await api.call('PATCH', `/v1/webhooks/${webhook}`, { rate_limit: 1 })
    const replay = await post('/replay', { after })
    const path = replay.headers.get('location') ?? ''
    // At one a second most of them are still to be sent.
    await eventually('most of the replay is planned', async () => (await deliveries()).length > 30)
    await receiver.received(1)
    expect((await stranger.call('DELETE', path)).status).toBe(404)
    const startedMs = performance.now()
    expect((await api.call('DELETE', path)).status).toBe(204)
    await eventually('nothing is pending', async () => (await deliveries('&status=pending')).length === 0)
    expect(performance.now() - startedMs).toBeLessThan(10_000)
    const all = await deliveries()
    expect(all.filter(({ status }) => status === 'cancelled').length).toBeGreaterThan(20)
    expect(receiver.requests).toHaveLength(all.filter(({ status }) => status === 'delivered').length)
    expect((await api.call('DELETE', path)).status).toBe(204)
  })

  test('is one at a time, and is found under its own webhook alone', async () => {
    const before = await post('/replay', { after })
    const path = before.headers.get('location') ?? ''
    await ended(before)
    const refused = await withTransaction(fixture.world.admin, async (tx) => {
      await tx.query(
        `INSERT INTO webhook_replays (id, tenant_id, webhook_id, after_at, before_at, dry_run)
         VALUES ($1, $2, $3, now(), now(), false)`,
        [typeIdToUuid('rpl', newTypeId('rpl')), TENANT, typeIdToUuid('whk', webhook)],
      )
      const waiting = post('/replay', { after })
      await untilBlocking(tx)
      return { waiting }
    })
    expect(await refused.waiting).toMatchObject({ status: 409, json: { code: 'replay_under_way' } })
    const missing = `/v1/webhooks/${webhook}/replays/${newTypeId('rpl')}`
    for (const absent of [
      missing,
      `/v1/webhooks/${webhook}/replays/rpl_1`,
      `/v1/webhooks/${newTypeId('whk')}/replays/x`,
    ])
      expect((await api.call('GET', absent)).status).toBe(404)
    expect((await stranger.call('GET', path)).status).toBe(404)
  })
})

describe('bad bodies', () => {
  test.each([
    ['rotate-secret', { secret: 'short' }, 'invalid_value', '/secret'],
    ['rotate-secret', { overlap_hours: 169 }, 'out_of_range', '/overlap_hours'],
    ['rotate-secret', { overlap_hours: -1 }, 'out_of_range', '/overlap_hours'],
    ['rotate-secret', { overlap_hours: '1' }, 'invalid_type', '/overlap_hours'],
    ['rotate-secret', { overlap: 1 }, 'unknown_member', '/overlap'],
    ['rotate-secret', [], 'invalid_type', ''],
    ['test', { type: 'task.*' }, 'invalid_value', '/type'],
    ['test', { type: 1 }, 'invalid_type', '/type'],
    ['test', { types: [] }, 'unknown_member', '/types'],
    ['replay', {}, 'required', '/after'],
    ['replay', { after: 'yesterday' }, 'invalid_value', '/after'],
    ['replay', { after: 1 }, 'invalid_type', '/after'],
    ['replay', { after: iso(31) }, 'out_of_range', '/after'],
    ['replay', { after: iso(-1) }, 'out_of_range', '/after'],
    ['replay', { after: iso(1), before: iso(2) }, 'out_of_range', '/before'],
    ['replay', { after: iso(1), types: [] }, 'out_of_range', '/types'],
    ['replay', { after: iso(1), types: ['task.created', 'task.*'] }, 'invalid_value', '/types/1'],
    ['replay', { after: iso(1), types: ['task.created', 'task.created'] }, 'invalid_value', '/types/1'],
    ['replay', { after: iso(1), status: 'pending' }, 'invalid_value', '/status'],
    ['replay', { after: iso(1), dry_run: 'yes' }, 'invalid_type', '/dry_run'],
    ['replay', { after: iso(1), until: iso(0) }, 'unknown_member', '/until'],
    ['replay', { from: 'v1.forged' }, 'invalid_value', '/from'],
    ['replay', { from: 'v1.forged', after: iso(1) }, 'invalid_value', '/from'],
  ])('of %s are refused: %j', async (action, body, code, pointer) => {
    const answer = await post(`/${action}`, body)
    expect(answer).toMatchObject({ status: 422, json: { code: 'invalid_body', errors: [{ code, pointer }] } })
  })

  test('a replay without a body is 422, and a query is refused everywhere', async () => {
    expect(await post('/replay')).toMatchObject({ status: 422, json: { code: 'missing_body' } })
    for (const action of ['rotate-secret', 'test', 'replay']) {
      expect(await post(`/${action}?dry_run=true`, {})).toMatchObject({ status: 400 })
    }
  })
})

/** Who signs the next delivery, and a test alike. */
async function signersOfNext(): Promise<ReturnType<typeof signers>> {
  const seen = receiver.requests.length
  await fixture.post(TENANT, 1)
  await receiver.received(seen + 1)
  const testAt = receiver.requests.length
  expect((await post('/test')).status).toBe(200)
  const [delivered, tested] = [receiver.requests[seen], receiver.requests[testAt]]
  if (delivered === undefined || tested === undefined) throw new Error('nothing arrived')
  expect(signers(tested)).toEqual(signers(delivered))
  return signers(delivered)
}

async function ended(replay: ApiAnswer): Promise<Readonly<Record<string, unknown>>> {
  expect(replay.status).toBe(202)
  let json: Readonly<Record<string, unknown>> = {}
  await eventually('the replay is completed', async () => {
    ;({ json } = await api.call('GET', replay.headers.get('location') ?? ''))
    return json['status'] === 'completed'
  })
  return json
}

/** Whether the matcher is as far as the projection. */
async function matched(): Promise<boolean> {
  const { rows } = await fixture.world.admin.query<{ behind: boolean }>(
    `SELECT bool_or(w.next_offset < e.next_offset) AS behind
       FROM projection_offsets e JOIN projection_offsets w USING (epoch, topic, partition)
      WHERE e.projection = 'events' AND w.projection = 'webhooks'`,
  )
  return rows[0]?.behind === false
}

async function stored(id: string): Promise<boolean> {
  return (await api.call('GET', `/v1/events/${id}`)).status === 200
}

function iso(daysAgo: number): string {
  return new Date(Date.now() - daysAgo * 86_400_000).toISOString()
}
