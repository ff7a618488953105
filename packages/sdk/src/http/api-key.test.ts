import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { eventually, startReceiver, type Receiver } from '@ariftly/testkit'
import { Ariftly, AriftlyError, type ClientOptions, type NewEvent } from '../index.ts'
import { accepted, problem } from '../send/test-events.ts'

const event: NewEvent = { type: 'task.progress', task_id: 't', data: { message: 'm' } }
let api: Receiver
let warnings: string[]
let client: Ariftly | undefined

const start = (options: ClientOptions) => {
  const logger = { warn: (text: string) => warnings.push(text), debug: (text: string) => warnings.push(text) }
  return (client = new Ariftly({ baseUrl: new URL(api.url).origin, logger, ...options }))
}
/** What uses a key, and ends with the error of the request. */
const USES: readonly (readonly [string, (of: Ariftly) => Promise<unknown>])[] = [
  ['a call', async (of) => await of.events.get('evt_1')],
  ['sending', async (of) => await of.events.send(event)],
  ['a stream', async (of) => await of.events.stream()[Symbol.asyncIterator]().next()],
]
const errorOf = async (promise: Promise<unknown>) =>
  await promise.then(
    () => undefined,
    (error: unknown) => error,
  )

function thrownBy(act: () => unknown): unknown {
  try {
    return act()
  } catch (error) {
    return error
  }
}

beforeEach(async () => {
  warnings = []
  api = await startReceiver()
})

afterEach(async () => {
  await client?.close({ timeoutMs: 0 })
  await api.close()
})

describe('a key that no header can carry', () => {
  test.each(['ak_secret\nak_part', 'ak_secret\u200b', '\u201cak_secret\u201d', 'ak_secret key', '\0ak_secret'])(
    'as a text (%j) makes no client, and is in no error',
    (apiKey) => {
      const error = thrownBy(() => start({ apiKey }))
      expect(error).toBeInstanceOf(AriftlyError)
      expect(error).toMatchObject({ code: 'invalid_api_key' })
      expect(inspect(error, { depth: 10 })).not.toContain('secret')
    },
  )

  test.each(USES)('of a function ends %s without a request, and is in no error and no log', async (_, use) => {
    const error = await errorOf(use(start({ apiKey: () => 'ak_secret\nak_part' })))
    expect(error).toMatchObject({ code: 'invalid_api_key' })
    expect(inspect([error, warnings, client], { depth: 10 })).not.toContain('secret')
    expect(api.requests).toEqual([])
  })

  test('of a function is reported for events that nobody awaits, which are settled', async () => {
    start({ apiKey: () => undefined as never }).events.trySend([event, event])
    await client?.events.flush()
    expect(client?.events.stats()).toMatchObject({ sent: 2, failed: 2, retries: 0 })
    expect(warnings).toEqual([1, 2].map(() => expect.stringContaining('The API key is empty')))
  })

  test('is not one with a line break at its end', async () => {
    api.respondWith(() => ({ status: 200, headers: { 'content-type': 'application/json' }, body: '{}' }))
    await start({ apiKey: ' key\r\n' }).events.get('evt_1')
    await start({ apiKey: async () => 'key\n' }).events.get('evt_1')
    expect(api.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer key', 'Bearer key'])
  })
})

test('another header with a value that none can have ends the call and the stream without a request', async () => {
  start({ apiKey: 'key' })
  const created = client?.webhooks.create({ url: 'http://h', events: ['*'] }, { idempotencyKey: 'secret\n1' })
  const read = client?.events.stream({ from: 'secret\u200b' })[Symbol.asyncIterator]().next()
  for (const promise of [created, read]) {
    const error = await errorOf(Promise.resolve(promise))
    expect(error).toMatchObject({ code: 'invalid_header' })
    expect(inspect(error, { depth: 10 })).not.toContain('secret')
  }
  expect(api.requests).toEqual([])
})

test('a redirect of a stream is reported without its token', async () => {
  api.respondWith(({ path }) => ({ status: 302, headers: { location: `https://api.example${path}` } }))
  start({ streamToken: async () => ({ token: 'secret' }) })
  const reading = client?.events.stream()[Symbol.asyncIterator]().next()
  await eventually('a warning', () => warnings.length > 0)
  await client?.close()
  await reading
  expect(warnings.join()).toContain('it redirects to https://api.example/v1/events/stream.')
  expect(warnings.join()).not.toContain('secret')
})

/** Answers requests with one of these headers, and others with 401. */
const refuse = (...taken: readonly string[]) =>
  api.respondWith(({ headers, path }) => {
    if (!taken.includes(headers.authorization ?? '')) return problem(401, { code: 'invalid_api_key' })
    if (path.startsWith('/v1/events/stream')) {
      const body = 'event: task.failed\ndata: {"id":"evt_1","type":"task.failed","data":{}}\nid: p1\n\n'
      return { headers: { 'content-type': 'text/event-stream' }, body }
    }
    return path === '/v1/events' ? accepted : { headers: { 'content-type': 'application/json' }, body: '{}' }
  })
const keysOf = () => api.requests.map(({ headers }) => headers.authorization)
const giving = (...keys: readonly string[]) => {
  let asked = 0
  const apiKey = () => keys[asked++] ?? keys.at(-1) ?? ''
  return { apiKey, asked: () => asked }
}

describe('a function that gives keys, after a 401', () => {
  test.each(USES)('is asked again, and %s goes on with the new key', async (_, use) => {
    refuse('Bearer new')
    expect(await errorOf(use(start({ apiKey: giving('old', 'new').apiKey })))).toBeUndefined()
    expect(keysOf()).toEqual(['Bearer old', 'Bearer new'])
  })

  test.each(USES)('is asked again once: %s ends when it gives the same key', async (_, use) => {
    refuse()
    const { apiKey, asked } = giving('old')
    expect(await errorOf(use(start({ apiKey })))).toMatchObject({ status: 401, code: 'invalid_api_key' })
    expect([asked(), keysOf()]).toEqual([2, ['Bearer old']])
  })

  test.each(USES)('is asked again once: %s ends when the new key is refused too', async (_, use) => {
    refuse()
    const { apiKey, asked } = giving('old', 'new', 'newer')
    expect(await errorOf(use(start({ apiKey })))).toMatchObject({ status: 401 })
    expect([asked(), keysOf()]).toEqual([2, ['Bearer old', 'Bearer new']])
  })

  test.each(USES)('which a text is not: %s ends', async (_, use) => {
    refuse()
    expect(await errorOf(use(start({ apiKey: 'old' })))).toMatchObject({ status: 401 })
    expect(keysOf()).toEqual(['Bearer old'])
  })
})
