import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { deferred } from '@ariftly/async'
import { eventually, startReceiver, type ReceivedRequest, type Receiver, type ReceiverAnswer } from '@ariftly/testkit'
import {
  Ariftly,
  AuthenticationError,
  ClosedError,
  EventRefusedError,
  TimeoutError,
  type SendOptions,
} from '../index.ts'
import { accepted, eventsOf, inTurn, JSON_TYPE, numbersOf, problem, progress } from './test-events.ts'

/** How long a request waits for another one at the same time; the last one has none. */
const TOGETHER_MS = 1000
let api: Receiver
let client: Ariftly

const start = (send: SendOptions = {}, more: object = {}) =>
  new Ariftly({ baseUrl: api.url, apiKey: 'key', send, ...more })

beforeEach(async () => {
  api = await startReceiver()
  api.respondWith(() => accepted)
  client = start()
})

afterEach(async () => {
  await client.close({ timeoutMs: 100 })
  await api.close()
})

const answerInTurn = (...answers: readonly ReceiverAnswer[]) => api.respondWith(inTurn(...answers))

describe('batches', () => {
  test('events that are sent at about the same time share a request, in order, with the key', async () => {
    const sent = await Promise.all(Array.from({ length: 50 }, (_, n) => client.events.send(progress('a', n))))
    expect(api.requests).toHaveLength(1)
    const [request] = api.requests as [ReceivedRequest]
    expect(request.headers).toMatchObject({ authorization: 'Bearer key', 'content-type': 'application/json' })
    expect(numbersOf(request)).toEqual(Array.from({ length: 50 }, (_, n) => n))
    expect(eventsOf(request).map(({ id }) => id)).toEqual(sent.map(({ id }) => id))
  })

  test('no request has more than 1,000 events or 4.5 MiB', async () => {
    const events = Array.from({ length: 2500 }, (_, n) => progress(`task-${n % 7}`, n))
    await client.events.send(events)
    const big = Array.from({ length: 60 }, (_, n) => progress(`big-${n % 5}`, n, 'é'.repeat(100_000)))
    await client.events.send(big)
    expect(Math.max(...api.requests.map((request) => eventsOf(request).length))).toBeLessThanOrEqual(1000)
    expect(Math.max(...api.requests.map(({ body }) => body.length))).toBeLessThanOrEqual(4.5 * 1024 * 1024)
    expect(api.requests.flatMap(eventsOf)).toHaveLength(2560)
  })

  test('a task is in one request at a time, other tasks continue', async () => {
    let running = 0
    let most = 0
    const tasks = new Set<string>()
    api.respondWith(async (request) => {
      const own = new Set(eventsOf(request).map((event) => event.task_id))
      for (const task of own) {
        expect(tasks.has(task)).toBe(false)
        tasks.add(task)
      }
      running += 1
      most = Math.max(most, running)
      await eventually('2 requests at once', () => running >= 2 || api.requests.length > 6, {
        timeoutMs: TOGETHER_MS,
      }).catch(() => undefined)
      running -= 1
      for (const task of own) tasks.delete(task)
      return accepted
    })
    client = start({ batchEventsMax: 20 })
    await client.events.send(Array.from({ length: 200 }, (_, n) => progress(`task-${n % 10}`, n)))
    expect(most).toBeGreaterThan(1)
    for (let task = 0; task < 10; task += 1) {
      const order = api.requests.flatMap(eventsOf).filter((event) => event.task_id === `task-${task}`)
      expect(order.map(({ data }) => data.n)).toEqual(order.map(({ data }) => data.n).toSorted((a, b) => a - b))
    }
  })
})

describe('failures', () => {
  test.each<[string, ReceiverAnswer]>([
    ['503', problem(503, {}, { 'retry-after': '0' })],
    ['500 that is no problem', { status: 500, body: '<html>' }],
    ['429', problem(429, {}, { 'retry-after': '0' })],
    ['408', { status: 408 }],
    ['425', { status: 425 }],
    ['a reset connection', { instead: 'reset' }],
    ['a 207 that is cut', { status: 207, body: '{"object":"li' }],
  ])('%s: the same events are posted again under the same ids, in order', async (_, failure) => {
    answerInTurn(failure, failure)
    await client.events.send([progress('a', 1), progress('a', 2)])
    expect(api.requests.map(numbersOf)).toEqual([
      [1, 2],
      [1, 2],
      [1, 2],
    ])
    const ids = api.requests.map((request) =>
      eventsOf(request)
        .map(({ id }) => id)
        .join(),
    )
    expect(new Set(ids).size).toBe(1)
  })

  test('no answer within the time of an attempt is a failure', async () => {
    // Long enough for the attempt that is answered, on a busy machine too.
    client = start({}, { attemptTimeoutMs: 1000 })
    answerInTurn({ instead: 'hang' })
    await client.events.send(progress('a', 1))
    expect(api.requests).toHaveLength(2)
  })

  test('Retry-After of a refused request delays the whole client', async () => {
    answerInTurn(problem(429, {}, { 'retry-after': '1' }))
    const first = client.events.send(progress('a', 1))
    await eventually('the first request', () => api.requests.length === 1)
    await Promise.all([first, client.events.send(progress('b', 2))])
    const [refused, ...others] = api.requests as [ReceivedRequest, ...ReceivedRequest[]]
    for (const { atMs } of others) expect(atMs - refused.atMs).toBeGreaterThanOrEqual(900)
    expect(others.flatMap(numbersOf).toSorted((a, b) => a - b)).toEqual([1, 2])
  })

  test('an entry that was not written delays only its own task, and is first when it is retried', async () => {
    let isFirst = true
    api.respondWith((request) => {
      if (!isFirst) return accepted
      isFirst = false
      const data = eventsOf(request).map(({ id, task_id: task }, index) => ({
        index,
        id,
        status: task === 'a' ? 'retry' : 'accepted',
      }))
      return {
        status: 207,
        headers: { ...JSON_TYPE, 'retry-after': '2' },
        body: JSON.stringify({ object: 'list', data }),
      }
    })
    const first = client.events.send([progress('a', 1), progress('b', 2)])
    await eventually('one event is accepted', () => client.events.stats().accepted === 1)
    const second = client.events.send([progress('a', 3), progress('b', 4)])
    await eventually('the second request', () => api.requests.length === 2)
    await Promise.all([first, second])
    expect(api.requests.map(numbersOf)).toEqual([[1, 2], [4], [1, 3]])
  })

  test('a refused event rejects its own promise with the pointer; its neighbours are accepted', async () => {
    api.respondWith((request) => {
      const data = eventsOf(request).map(({ id, data: { n } }, index) =>
        n === 2
          ? { index, status: 'refused', error: { code: 'too_long', pointer: '/task_id', message: 'is too long' } }
          : { index, id, status: 'accepted' },
      )
      return { status: 207, headers: JSON_TYPE, body: JSON.stringify({ object: 'list', data }) }
    })
    const results = await Promise.allSettled([1, 2, 3].map((n) => client.events.send(progress('a', n))))
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect((results[1] as PromiseRejectedResult).reason).toMatchObject({ code: 'too_long', pointer: '/task_id' })
    const whole = client.events.send([progress('a', 1), progress('a', 2)])
    await expect(whole).rejects.toMatchObject({ refusals: [{ index: 1, pointer: '/task_id', code: 'too_long' }] })
  })

  test('a 422 for all refuses each with its own error', async () => {
    const error = { code: 'invalid_type', pointer: '/data', message: 'must be an object' }
    answerInTurn(
      problem(422, {
        code: 'invalid_events',
        errors: [
          { ...error, index: 0 },
          { ...error, index: 1 },
        ],
      }),
    )
    const results = await Promise.allSettled([
      client.events.send(progress('a', 1)),
      client.events.send(progress('b', 2)),
    ])
    for (const result of results) expect((result as PromiseRejectedResult).reason).toBeInstanceOf(EventRefusedError)
    expect(client.events.stats()).toMatchObject({ sent: 2, refused: 2 })
  })

  test('a request that is refused as a whole fails its events, and is not split', async () => {
    api.respondWith(() => problem(400))
    const results = await Promise.allSettled(Array.from({ length: 16 }, (_, n) => client.events.send(progress('a', n))))
    expect(results.map(({ status }) => status)).toEqual(Array.from({ length: 16 }, () => 'rejected'))
    expect(api.requests).toHaveLength(1)
  })

  test('one event that is too large for the way (413) costs the others nothing', async () => {
    api.respondWith((request) => (numbersOf(request).includes(5) ? { status: 413 } : accepted))
    const results = await Promise.allSettled(Array.from({ length: 16 }, (_, n) => client.events.send(progress('a', n))))
    expect(results.flatMap(({ status }, n) => (status === 'rejected' ? [n] : []))).toEqual([5])
    const others = api.requests.filter((request) => !numbersOf(request).includes(5)).flatMap(numbersOf)
    expect(others).toEqual(Array.from({ length: 16 }, (_, n) => n).filter((n) => n !== 5))
  })

  test('a limit of the way (413) makes requests smaller', async () => {
    api.respondWith(({ body }) => (body.length > 100_000 ? { status: 413 } : accepted))
    const events = Array.from({ length: 2000 }, (_, n) => progress(`t${n % 20}`, n, 'm'.repeat(150)))
    await client.events.send(events)
    const refused = api.requests.filter(({ body }) => body.length > 100_000).length
    expect(refused).toBeGreaterThan(0)
    expect(client.events.stats()).toMatchObject({ accepted: 2000, refused: 0, failed: 0 })
  })

  test('a refused key rejects with its error, and nothing waits without end', async () => {
    api.respondWith(() => problem(401, { code: 'invalid_api_key' }))
    const failure = await client.events.send(progress('a', 1)).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(AuthenticationError)
    expect(failure).toMatchObject({ status: 401, code: 'invalid_api_key', requestId: undefined })
    expect(client.events.stats()).toMatchObject({ sent: 1, failed: 1 })
  })
})

describe('the queue', () => {
  test('full: send waits, trySend says no; nothing is dropped and stats add up', async () => {
    const gate = deferred()
    api.respondWith(async () => {
      await gate.promise
      return accepted
    })
    client = start({ queueEventsMax: 5, batchEventsMax: 2 })
    const sends = Array.from({ length: 20 }, (_, n) => client.events.send(progress('a', n)))
    await eventually('an event is in flight', () => client.events.stats().in_flight > 0)
    expect(client.events.trySend(progress('a', 99))).toBe(false)
    const { sent, waiting, queued, in_flight: inFlight } = client.events.stats()
    expect({ sent, waiting, held: queued + inFlight }).toEqual({ sent: 20, waiting: 15, held: 5 })
    gate.resolve()
    await Promise.all(sends)
    expect(api.requests.flatMap(numbersOf)).toEqual(Array.from({ length: 20 }, (_, n) => n))
    expect(client.events.trySend(progress('a', 20))).toBe(true)
    await client.events.flush()
    expect(client.events.stats()).toMatchObject({ sent: 21, accepted: 21, waiting: 0, queued: 0, in_flight: 0 })
  })

  test('events of trySend that cannot be sent are passed to onFailed', async () => {
    const failed: unknown[] = []
    client = start({ onFailed: (error, event) => failed.push([error.message, event.task_id]) })
    api.respondWith(() => problem(403, { code: 'missing_scope' }))
    client.events.trySend(progress('a', 1))
    await client.events.flush()
    expect(failed).toEqual([[expect.stringContaining('403'), 'a']])
  })

  test('flush waits for earlier events, also events that wait to be queued, and for no later ones', async () => {
    client = start({ queueEventsMax: 3, batchEventsMax: 3, lingerMs: 60_000 })
    const before = Array.from({ length: 10 }, (_, n) => client.events.send(progress(`t${n}`, n)))
    await client.events.flush()
    expect(client.events.stats()).toMatchObject({ accepted: 10 })
    await Promise.all(before)
    const flushed = client.events.send(progress('a', 1))
    const flush = client.events.flush()
    void client.events.send(progress('late', 2)).catch(() => undefined)
    await flush
    await flushed
    expect(client.events.stats().sent).toBe(12)
  })

  test('trySend takes all events of an array or none', async () => {
    api.respondWith(() => problem(503))
    client = start({ queueEventsMax: 10, lingerMs: 60_000 })
    expect(client.events.trySend(Array.from({ length: 11 }, (_, n) => progress('a', n)))).toBe(false)
    expect(client.events.trySend(Array.from({ length: 9 }, (_, n) => progress('a', n)))).toBe(true)
    expect(client.events.trySend([progress('a', 9), progress('a', 10)])).toBe(false)
    expect(client.events.stats()).toMatchObject({ sent: 9, waiting: 0, queued: 9 })
    expect(client.events.trySend([progress('a', 9)])).toBe(true)
    const large = start({ queueBytesMax: 500, lingerMs: 60_000 })
    expect(large.events.trySend([1, 2].map((n) => progress('a', n, 'm'.repeat(250))))).toBe(false)
    expect(large.events.trySend(progress('a', 1, 'm'.repeat(1000)))).toBe(true)
    expect(large.events.trySend(progress('a', 1))).toBe(false)
    await large.close({ timeoutMs: 0 })
  })

  test('a send that is not accepted in time rejects; events not posted yet are withdrawn', async () => {
    client = start({ lingerMs: 60_000 })
    const error = await client.events.send(progress('a', 1), { timeoutMs: 50 }).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(TimeoutError)
    expect(error).toMatchObject({ code: 'timeout', ids: [] })
    expect((error as Error).message).toBe('Not accepted within 50 ms. Nothing has left.')
    await client.events.flush()
    expect(api.requests).toHaveLength(0)
    expect(client.events.stats()).toMatchObject({ sent: 1, aborted: 1 })
  })

  test('a send that is not accepted in time names the event that may still be, and does not post it again', async () => {
    const gate = deferred()
    api.respondWith(async () => {
      await gate.promise
      return problem(503)
    })
    const error = await client.events.send(progress('a', 1), { timeoutMs: 200 }).catch((reason: unknown) => reason)
    const [event] = eventsOf(api.requests[0] as ReceivedRequest)
    expect(error).toMatchObject({ name: 'TimeoutError', ids: [event?.id] })
    api.respondWith(() => accepted)
    gate.resolve()
    await client.events.flush()
    await client.events.send(progress('a', 2))
    expect(api.requests.map(numbersOf)).toEqual([[1], [2]])
    expect(client.events.stats()).toMatchObject({ sent: 2, aborted: 1, accepted: 1, queued: 0, in_flight: 0 })
  })

  test('sends that share a signal add one listener to it', async () => {
    const { signal } = new AbortController()
    const sends = Array.from({ length: 50 }, (_, n) => client.events.send(progress('a', n), { signal }))
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    await Promise.all(sends)
  })

  test('a signal withdraws events that were not posted, and stops waiting for posted ones', async () => {
    client = start({ lingerMs: 60_000 })
    const controller = new AbortController()
    const send = client.events.send(progress('a', 1), { signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(send).rejects.toThrow('enough')
    await client.events.flush()
    expect(api.requests).toHaveLength(0)
    expect(client.events.stats()).toMatchObject({ sent: 1, aborted: 1 })
    await expect(client.events.send(progress('a', 2), { signal: controller.signal })).rejects.toThrow('enough')
  })
})

describe('close', () => {
  test('waits for the queued events, then takes no more', async () => {
    const send = client.events.send(progress('a', 1))
    expect(await client.close()).toEqual({ unsent: [] })
    await send
    await expect(client.events.send(progress('a', 2))).rejects.toBeInstanceOf(ClosedError)
    expect(() => client.events.trySend(progress('a', 2))).toThrow(ClosedError)
  })

  test('answers with what could not be sent, under the ids that it had', async () => {
    api.respondWith(() => problem(503))
    const send = client.events.send([progress('a', 1), { ...progress('b', 2), data: '{"message":"1.0","n":1.0}' }])
    const rejected = expect(send).rejects.toBeInstanceOf(ClosedError)
    await eventually('a request', () => api.requests.length > 0)
    const { unsent } = await client.close({ timeoutMs: 300 })
    await rejected
    expect(unsent.map(({ task_id: task }) => task)).toEqual(['a', 'b'])
    expect(unsent[1]?.data).toBe('{"message":"1.0","n":1.0}')
    const ids = eventsOf(api.requests[0] as ReceivedRequest).map(({ id }) => id)
    expect(unsent.map(({ id }) => id)).toEqual(ids)
    expect(client.events.stats()).toMatchObject({ sent: 2, returned: 2, queued: 0, in_flight: 0 })
    client = start()
    api.respondWith(() => accepted)
    await client.events.send(unsent)
  })

  test('all events are sent when `await using` ends', async () => {
    const own = start({ lingerMs: 50 })
    own.events.trySend(progress('a', 1))
    await own[Symbol.asyncDispose]()
    expect(api.requests.flatMap(numbersOf)).toEqual([1])
  })
})
