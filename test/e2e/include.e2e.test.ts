import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { eventually, startReceiver, type Receiver } from '@ariftly/testkit'
import { startStandalone, type Standalone } from '../support/standalone.ts'

const TASK = 'task_timeline'

interface Timeline {
  readonly id: string
  readonly log?: Readonly<Record<string, unknown>>
  readonly deliveries?: readonly Readonly<Record<string, unknown>>[]
}

let system: Standalone
let receiver: Receiver
let webhookId: string
let eventId: string

beforeAll(async () => {
  system = await startStandalone()
  receiver = await startReceiver()
  const webhook = await system.post('/v1/webhooks', JSON.stringify({ url: receiver.url, events: ['task.*'] }), 201)
  webhookId = (webhook as { id: string }).id
  const body = `[${`{"type":"task.created","task_id":"${TASK}","data":{"n":1.0}},`.repeat(2).slice(0, -1)}]`
  const { data } = (await system.post('/v1/events', body, 202)) as { data: { id: string }[] }
  eventId = data[0]?.id ?? ''
  await eventually('2 requests', () => receiver.requests.length === 2)
})
afterAll(async () => {
  await receiver?.close()
  await system?.close()
})

async function get(path: string, apiKey = system.apiKey) {
  const response = await system.request(path, { headers: { authorization: `Bearer ${apiKey}` } })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, json: JSON.parse(text) as unknown }
}

/** The timeline of the event, once its delivery is recorded as done. */
async function settled(query: string): Promise<Timeline> {
  let event: Timeline = { id: '' }
  await eventually('the delivery is shown as delivered', async () => {
    event = (await get(`/v1/events/${eventId}?${query}`)).json as Timeline
    return event.deliveries?.[0]?.['status'] === 'delivered'
  })
  return event
}

describe('include', () => {
  test('shows in one request when log and queries got an event, and what became of its deliveries', async () => {
    const event = await settled('include=log,deliveries')
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    expect(event).toMatchObject({ object: 'event', id: eventId, task_id: TASK, data: { task_id: TASK, n: 1 } })
    expect(event.log).toEqual({ appended_at: time, projected_at: time })
    expect(event.deliveries).toEqual([
      {
        id: expect.stringMatching(/^dlv_/),
        webhook_id: webhookId,
        status: 'delivered',
        attempt_count: 1,
        last_attempt_at: time,
        last_response_status: 200,
        last_error_class: null,
        next_attempt_at: null,
      },
    ])
  })

  test('gives each event of a list its own, keeps the bytes of data, and a cursor is not bound to it', async () => {
    await settled('include=deliveries')
    const first = await get(`/v1/events?task_id=${TASK}&limit=1&include=deliveries,log`)
    const page = first.json as { data: Timeline[]; next_cursor: string }
    expect(first.text).toContain('"n":1.0}')
    expect(page.data[0]?.deliveries).toHaveLength(1)
    const next = await get(`/v1/events?task_id=${TASK}&limit=1&cursor=${page.next_cursor}`)
    const rest = (next.json as { data: Timeline[] }).data
    expect(new Set([...page.data, ...rest].map(({ id }) => id)).size).toBe(2)
    expect(Object.keys(rest[0] ?? {})).not.toEqual(expect.arrayContaining(['log']))
    expect(Object.keys(rest[0] ?? {})).not.toEqual(expect.arrayContaining(['deliveries']))
  })

  test('shows the place in the log to keys with scope platform alone', async () => {
    const platform = await system.apiKeyOf('default', ['events:read', 'platform'])
    const { json } = await get(`/v1/events/${eventId}?include=log`, platform)
    expect(json).toMatchObject({ log: { partition: expect.any(Number), offset: expect.stringMatching(/^\d+$/) } })
  })

  test('of deliveries needs the scope webhooks', async () => {
    const reader = await system.apiKeyOf('default', ['events:read'])
    expect(await get(`/v1/events/${eventId}?include=log`, reader)).toMatchObject({ status: 200 })
    for (const path of [`/v1/events/${eventId}?include=deliveries`, '/v1/events?include=log,deliveries'])
      expect(await get(path, reader)).toMatchObject({ status: 403, json: { code: 'missing_scope' } })
  })

  test('leaves no immutable ETag on a single event, which has one without it', async () => {
    const shown = await get(`/v1/events/${eventId}?include=log`)
    expect([shown.headers.get('etag'), shown.headers.get('cache-control')]).toEqual([null, 'private, no-cache'])
    const plain = await get(`/v1/events/${eventId}`)
    expect(plain.headers.get('etag')).toBe(`"${eventId}-1"`)
    expect(plain.text).not.toContain('"log"')
  })

  test("shows nothing of another tenant's events", async () => {
    const other = await system.apiKeyOf('other', ['events:read', 'webhooks', 'platform'])
    expect(await get(`/v1/events/${eventId}?include=log,deliveries`, other)).toMatchObject({ status: 404 })
    expect(await get('/v1/events?include=log,deliveries', other)).toMatchObject({ status: 200, json: { data: [] } })
  })
})
