import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Ariftly, type NewEvent } from '@ariftly/sdk'
import { startReceiver, type Receiver } from '@ariftly/testkit'
import { publishedFiles } from './published-files.ts'

interface Operation {
  readonly operationId: string
  readonly parameters?: readonly { readonly name: string; readonly in: string }[]
  readonly requestBody?: unknown
}

/** Calls a method with all query parameters of its operation; ids of a path are `one` and `two`. */
type Call = (client: Ariftly, query: Query) => unknown
/** Every parameter of every operation: what a method may be called with is checked by the compiler where it is used. */
type Query = never

const event: NewEvent = { type: 'session.closed', session_id: 's', data: {} }
const body = {} as never
const read = async (list: AsyncIterable<unknown>) => {
  for await (const _ of list) break
}

/** The method of each route. A new route needs one: add it to `packages/sdk/src/resources`, and a line here. */
const METHODS: Readonly<Record<string, Call>> = {
  'POST /v1/events': (client) => client.events.send(event),
  'GET /v1/events': (client, query) => read(client.events.list(query)),
  'GET /v1/events/{id}': (client, query) => client.events.get('one', query),
  'GET /v1/tasks': (client, query) => read(client.tasks.list(query)),
  'POST /v1/stream-tokens': (client) => client.streamTokens.create({}),
  'POST /v1/webhooks': (client) => client.webhooks.create(body),
  'GET /v1/webhooks': (client, query) => read(client.webhooks.list(query)),
  'GET /v1/webhooks/{id}': (client) => client.webhooks.get('one'),
  'PATCH /v1/webhooks/{id}': (client) => client.webhooks.update('one', {}),
  'DELETE /v1/webhooks/{id}': (client) => client.webhooks.delete('one'),
  'POST /v1/webhooks/{id}/rotate-secret': (client) => client.webhooks.rotateSecret('one'),
  'POST /v1/webhooks/{id}/test': (client) => client.webhooks.test('one'),
  'GET /v1/webhooks/{id}/stats': (client, query) => client.webhooks.stats('one', query),
  'POST /v1/webhooks/{id}/replay': (client) => client.webhooks.replay('one', body),
  'GET /v1/webhooks/{id}/replays': (client, query) => read(client.webhooks.listReplays('one', query)),
  'GET /v1/webhooks/{id}/replays/{replay}': (client) => client.webhooks.getReplay('one', 'two'),
  'DELETE /v1/webhooks/{id}/replays/{replay}': (client) => client.webhooks.cancelReplay('one', 'two'),
  'GET /v1/webhooks/{id}/deliveries': (client, query) => read(client.webhooks.listDeliveries('one', query)),
  'GET /v1/deliveries': (client, query) => read(client.deliveries.list(query)),
  'GET /v1/deliveries/{id}': (client) => client.deliveries.get('one'),
  'POST /v1/deliveries/{id}/redeliver': (client) => client.deliveries.redeliver('one'),
  'POST /v1/deliveries/redeliver': (client) => client.redeliveries.create(body),
  'GET /v1/redeliveries': (client, query) => read(client.redeliveries.list(query)),
  'GET /v1/redeliveries/{id}': (client) => client.redeliveries.get('one'),
  'DELETE /v1/redeliveries/{id}': (client) => client.redeliveries.cancel('one'),
  'GET /v1/api-keys/current': (client) => client.apiKeys.current(),
  'POST /v1/api-keys': (client) => client.apiKeys.create(body),
  'GET /v1/api-keys': (client, query) => read(client.apiKeys.list(query)),
  'PATCH /v1/api-keys/{id}': (client) => client.apiKeys.update('one', {}),
  'POST /v1/api-keys/{id}/rotate': (client) => client.apiKeys.rotate('one'),
  'DELETE /v1/api-keys/{id}': (client) => client.apiKeys.revoke('one'),
  'PUT /v1/tenants/{id}': (client) => client.tenants.put('one', {}),
  'GET /v1/tenants/{id}': (client) => client.tenants.get('one'),
  'GET /v1/tenants': (client, query) => read(client.tenants.list(query)),
  'DELETE /v1/tenants/{id}': (client) => client.tenants.delete('one'),
  'GET /v1/audit': (client, query) => read(client.audit.list(query)),
  'GET /v1/dead-letters': (client, query) => read(client.deadLetters.list(query)),
  'GET /v1/system': (client) => client.system.get(),
  'GET /v1/event-types': (client) => read(client.eventTypes.list()),
}

const streamToken = async () => ({ token: 'st_x' })

/** The stream has a test of its own; it is opened by GET alone. */
const STREAM = '/v1/events/stream'
const document = publishedFiles()['openapi.json'] as { readonly paths: Record<string, Record<string, Operation>> }
const routes = Object.entries(document.paths)
  .filter(([path]) => path.startsWith('/v1/') && path !== STREAM)
  .flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ route: `${method.toUpperCase()} ${path}`, operation })),
  )
const namesOf = ({ parameters = [] }: Operation, where: string) =>
  parameters.filter((parameter) => parameter.in === where).map(({ name }) => name)

const urlOf = ({ port }: Receiver) => `http://127.0.0.1:${port}`
let api: Receiver

beforeAll(async () => {
  api = await startReceiver()
  const page = { object: 'list', data: [], has_more: false, next_cursor: null }
  const answer = { headers: { 'content-type': 'application/json' }, body: JSON.stringify(page) }
  // 202 says that all events are accepted.
  api.respondWith(({ method, path }) => ({ ...answer, status: method === 'POST' && path === '/v1/events' ? 202 : 200 }))
})

afterAll(async () => {
  await api.close()
})

describe.each(routes)('$route', ({ route, operation }) => {
  test('has a method that sends every parameter of the document, and a body where there is one', async () => {
    const call = METHODS[route]
    if (call === undefined) throw new Error(`The SDK has no method for ${route}: see METHODS in this file.`)
    const query = Object.fromEntries(namesOf(operation, 'query').map((name) => [name, 'x']))
    const client = new Ariftly({ baseUrl: urlOf(api), apiKey: 'key', maxRetries: 0, send: { lingerMs: 0 } })
    const before = api.requests.length
    await call(client, query as never)
    const sent = api.requests[before]
    const [path = '', search = ''] = (sent?.path ?? '').split('?')
    const expected = route.replace('{id}', 'one').replace(/\{\w+\}/, 'two')
    expect(`${sent?.method} ${path}`).toBe(expected)
    expect([...new URLSearchParams(search).keys()].toSorted()).toEqual(Object.keys(query).toSorted())
    if (operation.requestBody === undefined) expect(sent?.body.length).toBe(0)
    else expect(() => JSON.parse(sent?.body.toString() ?? '') as unknown).not.toThrow()
    if (namesOf(operation, 'header').includes('Idempotency-Key')) expect(sent?.headers['idempotency-key']).toBeTruthy()
  })
})

test('the stream is opened with every parameter of the document', async () => {
  api.respondWith(() => ({ status: 400 }))
  const filter = { task_id: 't', session_id: 's', agent: 'a', types: ['session.closed'] } as const
  const start = { after: '2026-11-25T00:00:00Z', from: 'v1.x' }
  const before = api.requests.length
  for (const client of [
    new Ariftly({ baseUrl: urlOf(api), apiKey: 'k' }),
    new Ariftly({ baseUrl: urlOf(api), streamToken }),
  ]) {
    await expect(read(client.events.stream({ ...filter, ...start }))).rejects.toThrow('400')
  }
  const asked = api.requests.slice(before)
  const names = asked.flatMap(({ path, headers }) => [
    ...new URLSearchParams(path.slice(path.indexOf('?'))).keys(),
    ...('last-event-id' in headers ? ['Last-Event-ID'] : []),
  ])
  const operation = document.paths[STREAM]?.['get'] as Operation
  expect([...new Set(names)].toSorted()).toEqual(
    [...namesOf(operation, 'query'), ...namesOf(operation, 'header')].toSorted(),
  )
})
