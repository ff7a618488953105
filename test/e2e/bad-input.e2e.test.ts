import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { eventually } from '@ariftly/testkit'
import { startStandalone, type Standalone } from '../support/standalone.ts'
import { badInputs, type BadInput } from './bad-input-cases.ts'

interface ProblemBody {
  readonly status: number
  readonly code: string
  readonly title: string
  readonly type: string
  readonly instance: string
  readonly request_id: string
  readonly errors?: readonly {
    readonly code: string
    readonly pointer?: string
    readonly parameter?: string
    readonly index?: number
  }[]
}

let system: Standalone

beforeAll(async () => {
  system = await startStandalone()
})
afterAll(async () => {
  await system?.close()
})

describe('bad input gets a 4xx problem that names the fault', () => {
  const cases = badInputs(Date.now())

  test('and there are cases enough, each under a name of its own', () => {
    expect(cases.length).toBeGreaterThanOrEqual(60)
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length)
  })

  test.each(cases)('$name: $status $code', async (bad) => {
    const response = await system.request(bad.path, requestOf(bad))
    const text = await response.text()
    expect({ status: response.status, text }).toEqual({ status: bad.status, text: expect.any(String) })
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    const problem = JSON.parse(text) as ProblemBody
    expect(problem).toMatchObject({ status: bad.status, instance: bad.path.split('?')[0] })
    expect(problem.code).toMatch(/^[a-z][a-z0-9_]+$/)
    expect(problem.request_id).toBe(response.headers.get('x-request-id'))
    expect(problem.title).not.toBe('')
    const [first] = problem.errors ?? []
    const named = { code: first?.code ?? problem.code, names: first?.parameter ?? first?.pointer }
    expect(named).toEqual({ code: bad.code, names: bad.names ?? named.names })
  })

  test('and leaves the system unharmed: a valid event is still delivered', async () => {
    await system.post('/v1/events', '{"type":"task.created","task_id":"t","data":{}}', 202)
    expect((await system.request('/readyz')).status).toBe(200)
  })
})

describe('a batch of good and bad entries', () => {
  test('answers 207 with one result per index and a pointer for each that is refused', async () => {
    const good = '{"type":"task.created","task_id":"t","data":{}}'
    const bad = '{"type":"task.created","task_id":"t","data":{},"extra":1}'
    const answer = (await system.post('/v1/events', `[${good},${bad},7,${good}]`, 207)) as { data: object[] }
    expect(answer.data).toMatchObject([
      { index: 0, status: 'accepted', id: expect.stringMatching(/^evt_/) },
      { index: 1, status: 'refused', error: { code: 'unknown_member', pointer: '/extra' } },
      { index: 2, status: 'refused', error: { code: 'invalid_type', pointer: '' } },
      { index: 3, status: 'accepted', id: expect.stringMatching(/^evt_/) },
    ])
  })

  test('names the index of each entry when all are refused', async () => {
    const problem = (await system.post('/v1/events', '[{"type":1},{}]', 422)) as ProblemBody
    expect(problem.errors?.map(({ index }) => index)).toEqual(expect.arrayContaining([0, 1]))
  })
})

describe('unusual input that is valid', () => {
  test('an event with another `object` is accepted, and is an event', async () => {
    const event = '{"object":"something","type":"task.created","task_id":"t","data":{}}'
    const answer = (await system.post('/v1/events', event, 202)) as { data: readonly { id: string }[] }
    const path = `/v1/events/${answer.data[0]?.id}`
    await eventually('the event is projected', async () => (await system.request(path)).status === 200)
    expect(await (await system.request(path)).json()).toMatchObject({ object: 'event', type: 'task.created' })
  })

  test.each(['/livez', '/readyz'])(
    '%s answers with the X-Request-Id of the request, or one of its own',
    async (path) => {
      const headers = { 'x-request-id': 'probe-1' }
      expect((await system.request(path, { headers })).headers.get('x-request-id')).toBe('probe-1')
      expect((await system.request(path)).headers.get('x-request-id')).toMatch(/^req_./)
    },
  )
})

describe('another tenant', () => {
  test("gets 404 for another tenant's event and webhook, and its lists are empty", async () => {
    const stranger = { authorization: `Bearer ${await system.apiKeyOf('stranger', ['events:read', 'webhooks'])}` }
    const webhook = (await system.post('/v1/webhooks', '{"url":"https://example.com/","events":["*"]}', 201)) as {
      id: string
    }
    expect((await system.request(`/v1/webhooks/${webhook.id}`, { headers: stranger })).status).toBe(404)
    expect((await system.request(`/v1/webhooks/${webhook.id}`, { headers: stranger, method: 'DELETE' })).status).toBe(
      404,
    )
    for (const path of ['/v1/events', '/v1/webhooks']) {
      expect(await (await system.request(path, { headers: stranger })).json()).toMatchObject({ data: [] })
    }
    expect((await system.request(`/v1/webhooks/${webhook.id}`)).status).toBe(200)
  })

  test('is refused what its key has no scope for', async () => {
    const reader = { authorization: `Bearer ${await system.apiKeyOf('stranger', ['events:read'])}` }
    const event = '{"type":"task.created","task_id":"t","data":{}}'
    const headers = { ...reader, 'content-type': 'application/json' }
    const refused = await system.request('/v1/events', { method: 'POST', headers, body: event })
    expect({ status: refused.status, body: await refused.json() }).toMatchObject({
      status: 403,
      body: { code: 'missing_scope' },
    })
    expect((await system.request('/v1/webhooks', { headers: reader })).status).toBe(403)
  })
})

function requestOf({ method, headers, body }: BadInput): RequestInit {
  return {
    method,
    headers: headers ?? {},
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : new Uint8Array(body) }),
  }
}
