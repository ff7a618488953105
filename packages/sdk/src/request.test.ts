import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { eventually, startReceiver, type Receiver } from '@ariftly/testkit'
import { Ariftly, NotFoundError, type ApiRequest, type ClientOptions } from './index.ts'
import { inTurn, problem, progress } from './send/test-events.ts'

const JSON_TYPE = { 'content-type': 'application/json' }
let api: Receiver

beforeEach(async () => {
  api = await startReceiver()
  api.respondWith(() => ({ headers: { ...JSON_TYPE, etag: '"1"' }, body: '{"n": 1.0}' }))
})

afterEach(async () => {
  jest.restoreAllMocks()
  delete process.env['ARIFTLY_LOG']
  await api.close()
})

const clientOf = (more: ClientOptions = {}) => new Ariftly({ baseUrl: new URL(api.url).origin, apiKey: 'key', ...more })

/** What is written to the console for one request. */
const written = async (options: ClientOptions, level?: string) => {
  if (level !== undefined) process.env['ARIFTLY_LOG'] = level
  const lines: string[] = []
  const spies = [jest.spyOn(console, 'warn'), jest.spyOn(console, 'debug')]
  for (const spy of spies) spy.mockImplementation((text: unknown) => void lines.push(String(text)))
  await clientOf(options).request({ method: 'GET', path: '/v1/later', query: { token: 'secret' } })
  return lines
}

describe('client.request', () => {
  test('answers with the status, the headers and the text as it was sent', async () => {
    const query = { type: ['task.progress', 'task.failed'], limit: 2, after: undefined }
    const answer = await clientOf().request({ method: 'GET', path: '/v1/later', query })
    expect([answer.status, answer.headers.get('etag'), answer.text]).toEqual([200, '"1"', '{"n": 1.0}'])
    expect(api.requests[0]).toMatchObject({
      path: '/v1/later?type=task.progress%2Ctask.failed&limit=2',
      headers: { authorization: 'Bearer key' },
    })
  })

  test('sends an object as JSON, and text and bytes unchanged, of another type if a header says so', async () => {
    const client = clientOf()
    const post = async (body: ApiRequest['body'], headers?: Readonly<Record<string, string>>) =>
      await client.request({ method: 'POST', path: '/v1/later', body, ...(headers && { headers }) })
    await post({ n: 1 })
    await post('{"n": 1.0}')
    await post(new TextEncoder().encode('{"n":1}\n{"n":2}'), { 'Content-Type': 'application/x-ndjson' })
    expect(api.requests.map(({ body, headers }) => [body.toString(), headers['content-type']])).toEqual([
      ['{"n":1}', 'application/json'],
      ['{"n": 1.0}', 'application/json'],
      ['{"n":1}\n{"n":2}', 'application/x-ndjson'],
    ])
  })

  test('repeats a POST under one Idempotency-Key, and rejects with the errors of all calls', async () => {
    api.respondWith(inTurn({ status: 503 }, { status: 200, body: '' }))
    expect(await clientOf().request({ method: 'POST', path: '/v1/later', body: {} })).toMatchObject({ text: '' })
    const [first, second] = api.requests.map(({ headers }) => headers['idempotency-key'])
    expect(first).toMatch(/^[\w-]{36}$/)
    expect(second).toBe(first)
    api.respondWith(() => problem(404, { code: 'not_found' }))
    await expect(clientOf().request({ method: 'GET', path: '/v1/later' })).rejects.toBeInstanceOf(NotFoundError)
  })

  test('takes 304 for an answer', async () => {
    api.respondWith(() => ({ status: 304, headers: { etag: '"1"' } }))
    const request = { method: 'GET', path: '/v1/events/evt_1', headers: { 'If-None-Match': '"1"' } } as const
    expect(await clientOf().request(request)).toMatchObject({ status: 304, text: '' })
    expect(api.requests[0]?.headers['if-none-match']).toBe('"1"')
  })

  test.each(['@host.invalid/v1', 'http://host.invalid/', '.host.invalid/'])('gives %s no key', async (path) => {
    await expect(clientOf().request({ method: 'GET', path })).rejects.toMatchObject({ code: 'invalid_path' })
    expect(api.requests).toEqual([])
  })
})

describe('defaultHeaders', () => {
  test('are in calls, posts of events and streams, in place of those of the same name in any case', async () => {
    api.respondWith(({ path }) =>
      path.includes('stream')
        ? { headers: { 'content-type': 'text/event-stream' }, body: 'retry: 60000\n\n' }
        : { status: 202, headers: JSON_TYPE, body: '{"object":"list","data":[]}' },
    )
    const client = clientOf({ defaultHeaders: { 'X-Gateway': 'one', 'USER-AGENT': 'mine' } })
    await client.events.send(progress('t', 1))
    await client.webhooks.list().toArray({ limit: 1 })
    const stream = client.events.stream()
    const read = (async () => {
      for await (const item of stream) throw new Error(`There is an item: ${item.type}`)
    })()
    await eventually('3 requests', () => api.requests.length === 3)
    await client.close()
    await read
    for (const { headers } of api.requests) expect(headers).toMatchObject({ 'x-gateway': 'one', 'user-agent': 'mine' })
  })

  test.each([
    ['a b', 'x'],
    ['x-a', 'secret\nb'],
  ])('with the name %j and the value %j make no client, and no value is in the message', (name, value) => {
    const make = () => clientOf({ defaultHeaders: { [name]: value } })
    expect(make).toThrow(
      expect.objectContaining({ code: 'invalid_header', message: expect.not.stringContaining(value) }),
    )
  })
})

describe('logLevel', () => {
  test('debug, also as ARIFTLY_LOG, writes each request to standard error, without its query', async () => {
    const line = /^Ariftly: GET \/v1\/later: 200 in \d+ ms, no request id$/
    expect(await written({ logLevel: 'debug' })).toEqual([expect.stringMatching(line)])
    expect(await written({}, 'debug')).toEqual([expect.stringMatching(line)])
    expect(jest.mocked(console.debug)).not.toHaveBeenCalled()
  })

  test('without one nothing is written but warnings, and the option wins over the variable', async () => {
    expect(await written({})).toEqual([])
    expect(await written({ logLevel: 'warn' }, 'debug')).toEqual([])
    expect(await written({}, 'loud')).toEqual([expect.stringContaining('loud')])
  })

  test('a logger gets what the level lets through', async () => {
    const lines: string[] = []
    const logger = { warn: (text: string) => lines.push(text), debug: (text: string) => lines.push(text) }
    expect(await written({ logger, logLevel: 'off' })).toEqual([])
    expect(lines).toEqual([])
    await written({ logger })
    expect(lines).toHaveLength(1)
  })
})
