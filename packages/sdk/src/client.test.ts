import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from '@jest/globals'
import { eventually, startReceiver } from '@ariftly/testkit'
import * as sdk from './index.ts'
import { Ariftly, AriftlyError, ConnectionError, NotFoundError, type NewEvent } from './index.ts'

const event: NewEvent = { type: 'task.progress', task_id: 't', data: { message: 'm' } }
const env = { ...process.env }

afterEach(() => {
  for (const name of ['ARIFTLY_API_KEY', 'ARIFTLY_URL']) {
    delete process.env[name]
    if (env[name] !== undefined) process.env[name] = env[name]
  }
})

/** The code of the error that the constructor throws; 0 without one. */
function codeOf(options: sdk.ClientOptions): unknown {
  try {
    return new Ariftly(options).events.stats().sent
  } catch (error) {
    return (error as AriftlyError).code
  }
}

/** Warnings of a client until its first request has failed. */
async function warningsOf(baseUrl: string): Promise<readonly string[]> {
  const warnings: string[] = []
  const client = new Ariftly({
    apiKey: 'key',
    baseUrl,
    logger: { warn: (text) => warnings.push(text), debug: () => {} },
  })
  client.events.trySend(event)
  await eventually('a retry', () => client.events.stats().retries > 0)
  await client.close({ timeoutMs: 0 })
  return warnings
}

describe('a client', () => {
  test('reads key and address from the environment', async () => {
    const api = await startReceiver()
    api.respondWith(() => ({ status: 202, body: '{"object":"list","data":[]}' }))
    process.env['ARIFTLY_API_KEY'] = 'key-of-env'
    process.env['ARIFTLY_URL'] = new URL(api.url).origin
    const client = new Ariftly({ apiKey: process.env['ABSENT'], baseUrl: process.env['ABSENT'] })
    await client.events.send(event)
    expect(api.requests[0]).toMatchObject({ path: '/v1/events', headers: { authorization: 'Bearer key-of-env' } })
    await client.close()
    await api.close()
  })

  test('without a key and a token is not made, nor with an address that is none', () => {
    delete process.env['ARIFTLY_API_KEY']
    const baseUrl = 'http://127.0.0.1:1'
    expect(codeOf({ baseUrl })).toBe('missing_api_key')
    expect(codeOf({ baseUrl, apiKey: '' })).toBe('missing_api_key')
    for (const given of ['localhost:8080', 'http://h/?a=b', 'http://h/#a', 'http://a b/', 'ftp://h']) {
      expect([given, codeOf({ apiKey: 'key', baseUrl: given })]).toEqual([given, 'invalid_base_url'])
    }
    expect(codeOf({ baseUrl, streamToken: async () => ({ token: 'x' }) })).toBe(0)
  })

  test.each([undefined, ''])('without an address (%j) is not made, as the key would go to a stranger', (baseUrl) => {
    delete process.env['ARIFTLY_URL']
    expect(() => new Ariftly({ apiKey: 'key', baseUrl })).toThrow(/ARIFTLY_URL/)
    expect(codeOf({ apiKey: 'key', baseUrl })).toBe('missing_base_url')
    expect(codeOf({ streamToken: async () => ({ token: 'x' }), baseUrl })).toBe('missing_base_url')
  })

  test('does not show the password of an address that has one', () => {
    const baseUrl = 'https://me:secret@host.example'
    expect(() => new Ariftly({ apiKey: 'key', baseUrl })).toThrow(/: host\.example$/)
  })

  test('that is closed has closed its streams', async () => {
    const server = createServer((_, res) => {
      res.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(': open\n\n')
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const client = new Ariftly({ apiKey: 'key', baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
    const read = async () => {
      for await (const item of client.events.stream()) throw new Error(`There is an item: ${item.type}`)
    }
    const loop = read()
    await once(server, 'request')
    await client.close()
    await loop
    await read()
    server.closeAllConnections()
    server.close()
  })
})

describe('a wrong address', () => {
  test('that redirects is a warning immediately, with the target', async () => {
    const api = await startReceiver()
    api.respondWith(() => ({ status: 301, headers: { location: 'https://api.example/v1/events' } }))
    const baseUrl = new URL(api.url).origin
    expect(await warningsOf(baseUrl)).toEqual([expect.stringContaining('redirects to https://api.example/v1/events')])
    const call = new Ariftly({ apiKey: 'key', baseUrl, maxRetries: 0 }).events.get('evt_1')
    await expect(call).rejects.toBeInstanceOf(ConnectionError)
    await api.close()
  })

  test('without a host, or without TLS, is a warning immediately', async () => {
    const api = await startReceiver()
    expect(await warningsOf('http://no-such-host.invalid')).toEqual([expect.stringContaining('no-such-host.invalid')])
    expect(await warningsOf(new URL(api.url).origin.replace('http:', 'https:'))).toEqual([
      expect.stringContaining('SSL'),
    ])
    await api.close()
  })

  test('without a server is a warning at the third failure, and not before: it may be a restart', async () => {
    const warnings: string[] = []
    const client = new Ariftly({
      apiKey: 'key',
      baseUrl: 'http://127.0.0.1:1',
      logger: { warn: (text) => warnings.push(text), debug: () => {} },
    })
    client.events.trySend(event)
    await eventually('2 retries', () => client.events.stats().retries === 2)
    expect(warnings).toEqual([])
    await eventually('4 retries', () => client.events.stats().retries === 4)
    expect(warnings).toHaveLength(1)
    await client.close({ timeoutMs: 0 })
  })
})

test('errors have the names of their classes, and the id of the request', async () => {
  const classes = Object.entries(sdk).filter(([name]) => name.endsWith('Error'))
  expect(classes.length).toBeGreaterThan(12)
  const details = { status: 404, problem: undefined, body: '', requestId: 'req_1', retryAfterMs: undefined }
  for (const [name, Class] of classes) {
    const isOfStatus = Class.prototype instanceof sdk.ApiError || Class === sdk.ApiError
    const error = new (Class as new (...args: unknown[]) => AriftlyError)(...(isOfStatus ? [details] : [[], 'x']))
    expect(error.name).toBe(name)
    expect('requestId' in error).toBe(true)
  }
  const api = await startReceiver()
  api.respondWith(() => ({ status: 200, headers: { 'x-request-id': 'req_2' }, body: '<html>' }))
  const client = new Ariftly({ apiKey: 'key', baseUrl: new URL(api.url).origin })
  await expect(client.events.get('evt_1')).rejects.toMatchObject({ code: 'protocol_error', requestId: 'req_2' })
  api.respondWith(() => ({ status: 404, headers: { 'x-request-id': 'req_3' } }))
  const failure = await client.events.get('evt_1').catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(NotFoundError)
  expect(failure).toMatchObject({ requestId: 'req_3' })
  await api.close()
})
