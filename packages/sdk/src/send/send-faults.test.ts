import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { eventIdMs } from '@ariftly/events'
import {
  findFreePort,
  keepCollectingGarbage,
  startReceiver,
  type ReceivedRequest,
  type Receiver,
  type ReceiverAnswer,
} from '@ariftly/testkit'
import { Ariftly, TimeoutError, type SendOptions, type Spool } from '../index.ts'
import { accepted, eventsOf, inTurn, JSON_TYPE, problem, progress, type Posted } from './test-events.ts'

let api: Receiver
let client: Ariftly

const start = (send: SendOptions = {}, more: object = {}) =>
  new Ariftly({ baseUrl: api.url, apiKey: 'key', send, ...more })
const answerInTurn = (...answers: readonly ReceiverAnswer[]) => api.respondWith(inTurn(...answers))
const outOfRange = (at: number) => ({ index: at, code: 'out_of_range', pointer: '/id', message: 'is too far ahead' })
const refusedAt = (date: string, ...indices: number[]): ReceiverAnswer => ({
  ...problem(422, { errors: indices.map(outOfRange) }),
  headers: { date, 'content-type': 'application/problem+json', 'x-request-id': 'req_1' },
})
const hourAgo = () => new Date(Date.now() - 3_600_000).toUTCString()

const timedOut = async (of: Ariftly) =>
  await of.events.send(progress('a', 1), { timeoutMs: 200 }).catch((error: unknown) => error)
const hangs = async () => await new Promise<string>(() => undefined)

function failAlways(): never {
  throw new Error('the handler is broken')
}

function failIf(isFailing: boolean): void {
  if (isFailing) throw new Error('ENOSPC')
}

beforeEach(async () => {
  api = await startReceiver()
  api.respondWith(() => accepted)
  client = start()
})

afterEach(async () => {
  await client.close({ timeoutMs: 100 })
  await api.close()
})

describe('answers', () => {
  test.each([404, 405])(
    'a %i of a gateway, as during a deploy, is waited out; the first one is a warning',
    async (status) => {
      const warnings: string[] = []
      client = start({}, { logger: { warn: (text: string) => warnings.push(text), debug: () => {} } })
      answerInTurn({ status, body: '<h1>No such app' }, accepted, { status, headers: JSON_TYPE, body: '{"code":404}' })
      await client.events.send(progress('a', 1))
      await client.events.send(progress('a', 2))
      expect(api.requests).toHaveLength(4)
      expect(warnings).toEqual([expect.stringContaining(`${status}: <h1>No such app`)])
    },
  )

  test('a 404 of the API itself fails', async () => {
    api.respondWith(() => problem(404, { code: 'not_found' }))
    await expect(client.events.send(progress('a', 1))).rejects.toMatchObject({ status: 404, code: 'not_found' })
  })

  test('an answer of another server is no reason to stop', async () => {
    answerInTurn({ status: 200, body: '{"status":1}' }, { status: 200, body: '<html>' })
    await client.events.send(progress('a', 1))
    expect(api.requests).toHaveLength(3)
  })

  test('a Retry-After of months is no hot loop, and has an upper limit', async () => {
    api.respondWith(() => problem(429, {}, { 'retry-after': '9999999' }))
    client = start({}, { maxRetryAfterMs: 2 ** 40 })
    await expect(client.events.send(progress('a', 1), { timeoutMs: 300 })).rejects.toBeInstanceOf(TimeoutError)
    expect(api.requests).toHaveLength(1)
    answerInTurn(problem(429, {}, { 'retry-after': '9999999' }))
    await start({}, { maxRetryAfterMs: 100 }).events.send(progress('a', 1))
  })

  test('an answer that stops in the middle ends in time as a failure, after a garbage collection too', async () => {
    let count = 0
    const server = createServer((req, res) => {
      req.resume()
      count += 1
      res.writeHead(count === 1 ? 207 : 202, JSON_TYPE)
      if (count === 1) res.write('{"object":"list","data":[')
      else res.end('{"object":"list","data":[]}')
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const stopCollecting = keepCollectingGarbage()
    try {
      const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      client = start({}, { baseUrl, attemptTimeoutMs: 1500 })
      await client.events.send(progress('a', 1))
      // On a busy machine the second attempt can be late too.
      expect(count).toBeGreaterThanOrEqual(2)
    } finally {
      stopCollecting()
      server.closeAllConnections()
      server.close()
    }
  })

  test('after a 429 no batch is larger than the quota, until the quota changes', async () => {
    const policy = { 'ratelimit-policy': '"events";q=10;w=1, "bytes";q=500;w=1;qu="content-bytes"' }
    let isLimited = true
    api.respondWith((request) => {
      if (eventsOf(request).length > 10) return problem(429, {}, { ...policy, 'retry-after': '0' })
      return isLimited ? { ...accepted, headers: { ...JSON_TYPE, ...policy } } : accepted
    })
    await client.events.send(Array.from({ length: 40 }, (_, n) => progress(`t${n}`, n)))
    expect(eventsOf(api.requests[0] as ReceivedRequest)).toHaveLength(40)
    for (const { body } of api.requests.slice(1)) expect(body.length).toBeLessThanOrEqual(500)
    isLimited = false
    await client.events.send(progress('a', 1))
    api.respondWith(() => accepted)
    const before = api.requests.length
    await client.events.send(Array.from({ length: 40 }, (_, n) => progress(`t${n}`, n)))
    expect(api.requests.length).toBe(before + 1)
  })
})

describe('a send that is timed out says whether anything can have left', () => {
  test('not when the address takes no connections, or no key was given', async () => {
    const closed = `http://127.0.0.1:${await findFreePort()}`
    for (const more of [{ baseUrl: closed }, { apiKey: hangs }]) {
      const error = await timedOut((client = start({}, more)))
      expect(error).toMatchObject({ name: 'TimeoutError', ids: [], mayHaveArrived: false })
      expect((error as Error).message).toContain('Nothing has left')
    }
  })

  test('when it was posted, also after an attempt without a connection', async () => {
    api.respondWith(() => ({ instead: 'hang' }))
    const error = await timedOut(client)
    const [event] = eventsOf(api.requests[0] as ReceivedRequest)
    expect(error).toMatchObject({ ids: [event?.id], mayHaveArrived: true })
    expect((error as Error).message).toContain('1 events may have left')
    let calls = 0
    const closed = `http://127.0.0.1:${await findFreePort()}`
    const fails: typeof fetch = async (url, init) => {
      calls += 1
      if (calls === 1) throw Object.assign(new TypeError('reset'), { cause: { code: 'ECONNRESET' } })
      return await fetch((url as string).replace(/^.*?(?=\/v1)/, closed), init)
    }
    client = start({}, { fetch: fails })
    const sent = client.events.send(progress('a', 1), { timeoutMs: 3000 }).catch((failure: unknown) => failure)
    expect(await sent).toMatchObject({ mayHaveArrived: true })
    expect(calls).toBeGreaterThan(1)
  })

  test('when the server derives its id, which is not known', async () => {
    api.respondWith(() => ({ instead: 'hang' }))
    const event = { ...progress('a', 1), idempotency_key: 'k' }
    const error = await client.events.send(event, { timeoutMs: 200 }).catch((failure: unknown) => failure)
    expect(error).toMatchObject({ ids: [], mayHaveArrived: true })
  })
})

describe('ids and times', () => {
  test("an id is minted from the call's time, by the server's clock as soon as it is known", async () => {
    api.respondWith(() => ({ ...accepted, headers: { ...JSON_TYPE, date: hourAgo() } }))
    const calledMs = Date.now()
    client = start()
    const ids = [(await client.events.send(progress('b', 1))).id, (await client.events.send(progress('b', 2))).id]
    expect(api.requests.flatMap(eventsOf).map(({ id }) => id)).toEqual(ids)
    const behindMs = ids.map((id) => calledMs - eventIdMs(id))
    expect(Math.abs(behindMs[0] ?? 0)).toBeLessThan(3000)
    expect(Math.abs((behindMs[1] ?? 0) - 3_600_000)).toBeLessThan(3000)
  })

  test('an event refused for its clock is sent again with another id, and is one event', async () => {
    answerInTurn(refusedAt(hourAgo(), 0))
    const { id } = await client.events.send(progress('a', 1))
    const [[first], [second]] = api.requests.map(eventsOf) as [[Posted], [Posted]]
    expect(eventIdMs(first.id) - eventIdMs(second.id)).toBeGreaterThan(3_500_000)
    expect(id).toBe(second.id)
    expect(client.events.stats()).toMatchObject({ sent: 1, accepted: 1 })
  })

  test('a refusal points to what the caller gave, and names the request', async () => {
    api.respondWith(() => refusedAt(hourAgo(), 0))
    const dated = { ...progress('a', 1), created_at: '2000-01-01T00:00:00Z' }
    for (const [event, pointer] of [
      [dated, '/created_at'],
      [progress('a', 1), '/created_at'],
      [{ ...progress('a', 1), id: 'evt_01j9x8k2m4e7s9v0w1x2y3z4a5' }, '/id'],
    ] as const) {
      const error = await client.events.send(event).catch((reason: unknown) => reason)
      expect(error).toMatchObject({ pointer, code: 'out_of_range', requestId: 'req_1' })
    }
  })

  test('the returned events have the ids with which they may have been sent', async () => {
    api.respondWith(() => problem(503))
    client = start({ lingerMs: 600_000 })
    client.events.trySend(progress('a', 1))
    const [event] = (await client.close({ timeoutMs: 0 })).unsent
    expect(event?.id).toMatch(/^evt_/)
  })
})

describe('functions of the caller that throw', () => {
  test('onFailed: all events are settled, later ones are sent, and the error is a warning', async () => {
    const warnings: string[] = []
    const logger = { warn: (text: string) => warnings.push(text), debug: failAlways }
    client = start({ onFailed: failAlways }, { logger })
    const refusal = { code: 'too_long', pointer: '/task_id', message: 'is too long' }
    answerInTurn({
      status: 207,
      headers: JSON_TYPE,
      body: JSON.stringify({
        data: [
          { index: 0, status: 'refused', error: refusal },
          { index: 1, id: 'evt_b', status: 'accepted' },
        ],
      }),
    })
    client.events.trySend(progress('a', 1))
    expect(await client.events.send(progress('b', 2))).toEqual({ id: 'evt_b' })
    await client.events.send(progress('a', 3))
    await client.events.flush()
    expect(client.events.stats()).toMatchObject({ sent: 3, accepted: 2, refused: 1, in_flight: 0 })
    expect(warnings).toEqual([expect.stringContaining('the handler is broken')])
  })

  test('the logger: its errors are written to console.warn', async () => {
    const warn = jest.spyOn(console, 'warn').mockImplementation(() => {})
    const logger = {
      warn: () => {
        throw new Error('no logger')
      },
      debug: () => {},
    }
    api.respondWith(() => problem(403, { code: 'missing_scope' }))
    client = start({}, { logger })
    client.events.trySend(progress('a', 1))
    await client.events.flush()
    expect(warn).toHaveBeenCalledWith(expect.stringContaining('is given up'), expect.any(Error))
    warn.mockRestore()
  })

  test('a spool: what it cannot keep is rejected, other faults delay or warn, and stats add up', async () => {
    const fails = { append: true, replaceId: 1, settle: true }
    const spool: Spool = {
      recover: () => [],
      append: (events) => {
        failIf(fails.append)
        return events.map((_, at) => at)
      },
      replaceId: () => failIf(fails.replaceId-- > 0),
      settle: () => failIf(fails.settle),
      close: () => failIf(true),
    }
    const warnings: string[] = []
    client = start({ spool }, { logger: { warn: (text: string) => warnings.push(text), debug: () => {} } })
    await expect(client.events.send([progress('a', 1), progress('a', 2)])).rejects.toThrow('ENOSPC')
    expect(() => client.events.trySend(progress('a', 1))).toThrow('ENOSPC')
    expect(client.events.stats()).toMatchObject({ sent: 0, queued: 0, in_flight: 0 })
    fails.append = false
    answerInTurn(refusedAt(hourAgo(), 0), refusedAt(hourAgo(), 0))
    const { id } = await client.events.send(progress('a', 1))
    const posted = api.requests.map(eventsOf).map(([event]) => event?.id)
    // The second request has the id that the spool has.
    expect(posted).toEqual([posted[0], posted[0], id])
    expect(fails.replaceId).toBe(-1)
    await client.close()
    expect(client.events.stats()).toMatchObject({ sent: 1, accepted: 1 })
    expect(warnings).toEqual(Array.from({ length: 3 }, () => expect.stringContaining('ENOSPC')))
  })

  test('a function that gives keys: it is asked again', async () => {
    let asked = 0
    const apiKey = async () => {
      asked += 1
      if (asked === 1) throw new Error('the vault is down')
      return 'key-2'
    }
    client = start({}, { apiKey })
    await client.events.send(progress('a', 1))
    expect(api.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer key-2'])
  })
})
