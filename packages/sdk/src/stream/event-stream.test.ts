import { afterEach, describe, expect, test } from '@jest/globals'
import { eventually } from '@ariftly/testkit'
import {
  Ariftly,
  BadRequestError,
  ProtocolError,
  type ClientOptions,
  type StreamItem,
  type StreamOptions,
} from '../index.ts'
import {
  frameOf,
  frames,
  openStream,
  startStreamServer,
  type AnswerStream,
  type TestStreamServer,
} from './test-stream-server.ts'

let server: TestStreamServer | undefined

afterEach(async () => {
  await server?.close()
})

async function serve(...answers: readonly AnswerStream[]): Promise<TestStreamServer> {
  server = await startStreamServer(...answers)
  return server
}

const logger = { warn: () => {}, debug: () => {} }
const clientOf = (url: string, more: ClientOptions = {}) =>
  new Ariftly({ baseUrl: url, apiKey: 'key', logger, ...more })
const streamOf = (url: string, options: StreamOptions = {}) => clientOf(url).events.stream({ task_id: 't', ...options })
const numberOf = (item: StreamItem) => (item.type === 'task.progress' ? item.data['n'] : item.type)

/** Reads until `last`, then closes inside the loop. */
async function readUntil(stream: ReturnType<typeof streamOf>, last: unknown): Promise<unknown[]> {
  const seen: unknown[] = []
  for await (const item of stream) {
    seen.push(numberOf(item))
    if (seen.at(-1) === last) stream.close()
  }
  return seen
}

const fail =
  (status: number, headers: Record<string, string> = {}): AnswerStream =>
  (res) => {
    const problem = { type: 'x', title: 'x', status, instance: '/', code: 'some_code', request_id: 'r' }
    res.writeHead(status, { 'Content-Type': 'application/problem+json', ...headers }).end(JSON.stringify(problem))
  }

/** What a gateway answers that has no server behind it. */
const page =
  (status: number): AnswerStream =>
  (res) =>
    res.writeHead(status, { 'Content-Type': 'text/html' }).end('<p>Welcome')

/** A stream with one event, which ends. */
const onlyEvent =
  (number: number): AnswerStream =>
  (res) => {
    openStream(res, frameOf(number))
    res.end()
  }

describe('a stream', () => {
  test('asks for the filter with the key, and resumes over cuts, ends and halves of frames', async () => {
    const { url, requests } = await serve(
      (res) => {
        openStream(res, frames(1, 3) + frameOf(4).slice(0, 150))
        setTimeout(() => res.destroy(), 20)
      },
      (res) => {
        openStream(res, frames(4, 5))
        res.end()
      },
      (res) => openStream(res, frames(6, 7)),
    )
    expect(await readUntil(streamOf(url, { types: ['task.progress'], agent: 'a' }), 7)).toEqual([1, 2, 3, 4, 5, 6, 7])
    expect(requests.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, 'p3', 'p5'])
    expect(requests[0]?.url).toBe('/v1/events/stream?task_id=t&agent=a&types=task.progress&envelope=true')
    expect(requests[0]?.headers.authorization).toBe('Bearer key')
  })

  test('an event that is received again over another connection is not yielded again', async () => {
    const { url } = await serve(
      (res) => {
        openStream(res, frames(1, 3))
        res.end()
      },
      (res) => openStream(res, frames(2, 4)),
    )
    expect(await readUntil(streamOf(url), 4)).toEqual([1, 2, 3, 4])
  })

  test('position is of the last event that the loop has finished; checkpoints move it', async () => {
    const checkpoint = 'event: stream.checkpoint\ndata: {}\nid: c0\n\n'
    const { url } = await serve((res) => openStream(res, checkpoint + frames(1, 3)))
    const stream = streamOf(url)
    const positions: (string | undefined)[] = [stream.position]
    for await (const item of stream) {
      positions.push(stream.position)
      if (numberOf(item) === 3) break
    }
    expect(positions).toEqual([undefined, 'c0', 'p1', 'p2'])
    expect(stream.position).toBe('p2')
  })

  test('the store has the position at the end, and a new stream continues there', async () => {
    let kept: string | undefined
    const positionStore = { load: () => kept, save: (position: string) => void (kept = position) }
    const { url, requests } = await serve((res) => openStream(res, frames(1, 3)))
    await readUntil(streamOf(url, { positionStore }), 2)
    expect(kept).toBe('p2')
    await readUntil(streamOf(url, { positionStore }), 3)
    expect(requests.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, 'p2'])
    await readUntil(streamOf(url, { positionStore, from: 'p0' }), 3)
    expect(requests.at(-1)?.headers['last-event-id']).toBe('p0')
  })

  test('with saveEveryMs 0 an event is saved before the next one is given out', async () => {
    const kept: string[] = []
    const positionStore = { load: () => undefined, save: (position: string) => void kept.push(position) }
    const { url } = await serve((res) => openStream(res, frames(1, 3)))
    for await (const item of streamOf(url, { positionStore, saveEveryMs: 0 })) {
      expect(kept.length).toBe((numberOf(item) as number) - 1)
      if (numberOf(item) === 3) break
    }
    expect(kept).toEqual(['p1', 'p2'])
  })

  test('stream.reset is an item', async () => {
    const reset = 'event: stream.reset\ndata: {"reason":"log_changed","requested":"p0","earliest":"p5"}\nid: p5\n\n'
    const { url } = await serve((res) => openStream(res, reset + frameOf(6)))
    const stream = streamOf(url, { from: 'p0' })
    const items: StreamItem[] = []
    for await (const item of stream) {
      items.push(item)
      if (items.length === 2) stream.close()
    }
    expect(items[0]).toEqual({ type: 'stream.reset', reason: 'log_changed', requested: 'p0', earliest: 'p5' })
  })

  test('rawData holds the posted payload', async () => {
    const { url } = await serve((res) => openStream(res, frameOf(1)))
    for await (const item of streamOf(url)) {
      if (item.type !== 'stream.reset') expect(item.rawData).toBe('{"task_id":"t","message":"m","n":1.0}')
      expect(JSON.stringify(item)).not.toContain('rawData')
      break
    }
  })

  test('its signal ends the loop, also while it waits for an event', async () => {
    const { url } = await serve((res) => openStream(res, frameOf(1)))
    const controller = new AbortController()
    const seen: unknown[] = []
    for await (const item of streamOf(url, { signal: controller.signal })) {
      seen.push(numberOf(item))
      setTimeout(() => controller.abort(), 20)
    }
    expect(seen).toEqual([1])
  })
})

describe('failures', () => {
  test('a silent connection is closed and opened again', async () => {
    const { url, requests } = await serve(
      (res) => openStream(res, frameOf(1)),
      (res) => openStream(res, frameOf(2)),
    )
    expect(await readUntil(streamOf(url, { stallTimeoutMs: 1000 }), 2)).toEqual([1, 2])
    expect(requests[1]?.headers['last-event-id']).toBe('p1')
  })

  test('reconnect ends an attempt to connect that gets no answer', async () => {
    const { url, requests } = await serve(
      () => {},
      (res) => openStream(res, frameOf(1)),
    )
    const stream = streamOf(url)
    const read = readUntil(stream, 1)
    await eventually('the first request', () => requests.length === 1)
    const atMs = performance.now()
    stream.reconnect()
    expect(await read).toEqual([1])
    // An attempt has 20 s.
    expect(performance.now() - atMs).toBeLessThan(10_000)
  })

  test('503, 429 and 500 are waited for, by Retry-After', async () => {
    const { url, requests } = await serve(fail(503, { 'Retry-After': '1' }), fail(429), fail(500), (res) =>
      openStream(res, frameOf(1)),
    )
    const atMs = Date.now()
    expect(await readUntil(streamOf(url), 1)).toEqual([1])
    expect(requests).toHaveLength(4)
    expect(Date.now() - atMs).toBeGreaterThanOrEqual(1000)
  })

  test.each([400, 401, 403, 404, 410, 422])(
    '%i ends the loop with a typed error that holds the problem',
    async (status) => {
      const { url, requests } = await serve(fail(status))
      const failure = await readUntil(streamOf(url), 1).catch((error: unknown) => error)
      expect(failure).toMatchObject({ status, code: 'some_code', problem: { request_id: 'r' } })
      if (status === 400) expect(failure).toBeInstanceOf(BadRequestError)
      expect(requests).toHaveLength(1)
    },
  )

  test('a page that is no event stream ends the loop at first, as it shows a wrong address', async () => {
    const { url, requests } = await serve(page(200))
    await expect(readUntil(streamOf(url), 1)).rejects.toBeInstanceOf(ProtocolError)
    expect(requests).toHaveLength(1)
  })

  test.each([404, 405])('a %i of a gateway is waited out, also the first one, which is a warning', async (status) => {
    const { url } = await serve(page(status), (res) => openStream(res, frameOf(1)))
    const warnings: string[] = []
    const { events } = clientOf(url, { logger: { warn: (text) => warnings.push(text), debug: () => {} } })
    expect(await readUntil(events.stream({ task_id: 't' }), 1)).toEqual([1])
    expect(warnings).toEqual([expect.stringContaining(`${status}: <p>Welcome`)])
  })

  test('what a gateway answers between two connections is waited out: 404, 405, a page, nothing, a code of its own', async () => {
    const away: readonly AnswerStream[] = [
      page(404),
      page(405),
      page(200),
      (res) => res.writeHead(204).end(),
      (res) => res.writeHead(404, { 'Content-Type': 'application/json' }).end('{"status":"error","code":404}'),
    ]
    const { url, requests } = await serve(...away.flatMap((answer, at) => [onlyEvent(at), answer]), onlyEvent(5))
    const warnings: string[] = []
    const { events } = clientOf(url, { logger: { warn: (text) => warnings.push(text), debug: () => {} } })
    expect(await readUntil(events.stream({ task_id: 't' }), 5)).toEqual([0, 1, 2, 3, 4, 5])
    expect(requests.at(-1)?.headers['last-event-id']).toBe('p4')
    // A deploy is no reason to warn.
    expect(warnings).toEqual([])
  })

  test('a reader that does not ask slows the server down', async () => {
    let written = 0
    const { url } = await serve((res) => {
      openStream(res)
      let number = 0
      const more = () => {
        while (number < 200_000) {
          number += 1
          written = number
          if (!res.write(frameOf(number))) break
        }
      }
      res.on('drain', more)
      more()
    })
    const stream = streamOf(url)
    for await (const item of stream) {
      expect(numberOf(item)).toBe(1)
      // As long as it takes until nothing more is taken from the server.
      let before = -1
      await eventually(
        'the server writes no more',
        () => {
          const isStill = written === before
          before = written
          return isStill
        },
        { everyMs: 300 },
      )
      break
    }
    expect(written).toBeLessThan(100_000)
  })
})

const tokenOf = (url: string, streamToken: NonNullable<ClientOptions['streamToken']>) =>
  new Ariftly({ baseUrl: url, streamToken }).events.stream({ task_id: 't' })

describe('with tokens', () => {
  test('the token is in the URL, without a header, and is renewed before it ends, without a gap', async () => {
    const asked: unknown[] = []
    const { url, requests } = await serve(
      (res) => openStream(res, frames(1, 2)),
      (res) => openStream(res, frames(3, 4)),
    )
    const stream = tokenOf(url, async (filter) => {
      asked.push(filter)
      return {
        token: `st_${asked.length}`,
        expires_at: new Date(Date.now() + (asked.length === 1 ? 500 : 60_000)).toISOString(),
      }
    })
    expect(await readUntil(stream, 4)).toEqual([1, 2, 3, 4])
    expect(asked).toEqual([{ task_id: 't' }, { task_id: 't' }])
    expect(requests.map(({ url: path }) => path)).toEqual([
      '/v1/events/stream?token=st_1&envelope=true',
      '/v1/events/stream?token=st_2&envelope=true&last_event_id=p2',
    ])
    expect(requests[0]?.headers).not.toHaveProperty('authorization')
  })

  test('after a 401 another token is asked for, once', async () => {
    let asked = 0
    const give = async () => ({ token: `st_${(asked += 1)}` })
    const opened = await serve(fail(401), (res) => openStream(res, frameOf(1)))
    expect(await readUntil(tokenOf(opened.url, give), 1)).toEqual([1])
    expect(asked).toBe(2)
    await opened.close()
    const refused = await serve(fail(401))
    await expect(readUntil(tokenOf(refused.url, give), 1)).rejects.toMatchObject({ status: 401 })
    expect(refused.requests).toHaveLength(2)
  })
})
