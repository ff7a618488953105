import { afterEach, describe, expect, test } from '@jest/globals'
import { eventually } from '@ariftly/testkit'
import {
  Ariftly,
  ConnectionError,
  ServerError,
  TimeoutError,
  type EventStream,
  type StreamOptions,
  type StreamState,
} from '../index.ts'
import {
  frameOf,
  openStream,
  startStreamServer,
  type AnswerStream,
  type TestStreamServer,
} from './test-stream-server.ts'

const CHECKPOINT = 'event: stream.checkpoint\ndata: {}\nid: c0\n\n'
const LIVE = 'event: stream.checkpoint\ndata: {"live":true}\nid: c1\n\n'
const HEARTBEAT = ':\n\n'

let server: TestStreamServer | undefined

afterEach(async () => {
  await server?.close()
})

/** A stream of a server that answers so, and the states that it has reported. */
async function start(answers: readonly AnswerStream[], options: StreamOptions = {}) {
  server = await startStreamServer(...answers)
  const states: StreamState[] = []
  const client = new Ariftly({ baseUrl: server.url, apiKey: 'key', logger: { warn: () => {}, debug: () => {} } })
  const stream = client.events.stream({ onState: (state) => states.push(state), ...options })
  return { stream, states, types: () => states.map(({ type }) => type) }
}

/** Reads until the loop ends, and answers with the state at each event. */
async function readStates(stream: EventStream, last = Infinity): Promise<string[]> {
  const states: string[] = []
  for await (const item of stream) {
    if (item.type === 'stream.reset') continue
    if (states.push(stream.state.type) === last) stream.close()
  }
  return states
}

const cut =
  (text: string): AnswerStream =>
  (res) => {
    openStream(res, text)
    setTimeout(() => res.destroy(), 20)
  }
const hold =
  (text: string): AnswerStream =>
  (res) =>
    openStream(res, text)

function throwFault(): void {
  throw new Error('a fault of the program')
}

describe('the state of a stream', () => {
  test('is catching_up until the server says that it is live, on each connection', async () => {
    const { stream, types } = await start([
      cut(CHECKPOINT + frameOf(1) + LIVE + frameOf(2)),
      hold(CHECKPOINT + frameOf(3) + LIVE + frameOf(4)),
    ])
    expect(stream.state).toEqual({ type: 'connecting' })
    expect(await readStates(stream, 4)).toEqual(['catching_up', 'live', 'catching_up', 'live'])
    const connection = ['connecting', 'catching_up', 'live']
    expect(types()).toEqual([...connection, 'waiting', ...connection, 'closed'])
    expect(stream.state).toEqual({ type: 'closed' })
  })

  test('does not follow heartbeats, also before the first checkpoint', async () => {
    const { stream } = await start([
      cut(HEARTBEAT + frameOf(1) + LIVE + frameOf(2)),
      hold(CHECKPOINT + HEARTBEAT + frameOf(3) + LIVE + frameOf(4)),
    ])
    expect(await readStates(stream, 4)).toEqual(['catching_up', 'live', 'catching_up', 'live'])
  })

  test('is catching_up again after a reset of the position', async () => {
    const reset = 'event: stream.reset\ndata: {"reason":"log_changed","requested":null,"earliest":"p5"}\nid: p5\n\n'
    const { stream } = await start([hold(LIVE + frameOf(1) + reset + frameOf(2) + LIVE + frameOf(3))])
    expect(await readStates(stream, 3)).toEqual(['live', 'catching_up', 'live'])
  })

  test('says while it waits why, and until when', async () => {
    const { stream, states } = await start([
      (res) => res.writeHead(503, { 'Retry-After': '1' }).end(),
      cut(CHECKPOINT),
      (res) => {
        openStream(res, CHECKPOINT)
        res.end()
      },
      hold(frameOf(1)),
    ])
    const atMs = Date.now()
    await readStates(stream, 1)
    const waits = states.flatMap((state) => (state.type === 'waiting' ? [state] : []))
    expect(waits.map(({ error }) => error)).toEqual([expect.any(ServerError), expect.any(ConnectionError), undefined])
    expect(waits[0]?.retryAt.getTime()).toBeGreaterThanOrEqual(atMs + 1000)
    expect(waits[0]?.retryAt.getTime()).toBeLessThan(Date.now())
  })

  test('says of a silent connection that it was silent', async () => {
    const { stream, states } = await start([hold(frameOf(1)), hold(frameOf(2))], { stallTimeoutMs: 300 })
    await readStates(stream, 2)
    const error = states.flatMap((state) => (state.type === 'waiting' ? [state.error] : []))[0]
    expect(error).toBeInstanceOf(TimeoutError)
    expect(error?.message).toContain('silent for 300 ms')
  })

  test('is closed after an error that is not retried, and for a stream that is closed before its loop', async () => {
    const { stream, types } = await start([(res) => res.writeHead(403).end()])
    await expect(readStates(stream)).rejects.toMatchObject({ status: 403 })
    expect(types()).toEqual(['connecting', 'closed'])
    const other = new Ariftly({ baseUrl: 'http://127.0.0.1:1', apiKey: 'key' }).events.stream()
    other.close()
    expect(other.state).toEqual({ type: 'closed' })
    expect(await readStates(other)).toEqual([])
  })

  test('is reported to a function that throws without an end of the stream', async () => {
    const { stream } = await start([cut(frameOf(1)), hold(frameOf(2))], { onState: throwFault })
    expect(await readStates(stream, 2)).toHaveLength(2)
  })
})

test.each([
  [
    'retry:',
    (res: Parameters<AnswerStream>[0]) =>
      res.writeHead(200, { 'Content-Type': 'text/event-stream' }).end(`retry: 99999999999\n\n${frameOf(1)}`),
  ],
  ['Retry-After', (res: Parameters<AnswerStream>[0]) => res.writeHead(503, { 'Retry-After': '99999999' }).end()],
])('a wait that the server asks for by %s has an upper limit of a minute, and reconnect ends it', async (_, answer) => {
  const { stream, states } = await start([answer, hold(frameOf(2))])
  const atMs = Date.now()
  const read = readStates(stream)
  await eventually('the stream waits', () => stream.state.type === 'waiting')
  const wait = states.at(-1)
  const waitMs = wait?.type === 'waiting' ? wait.retryAt.getTime() - atMs : 0
  expect(waitMs).toBeGreaterThanOrEqual(60_000)
  expect(waitMs).toBeLessThan(65_000)
  expect(server?.requests).toHaveLength(1)
  stream.reconnect()
  await eventually('position p2', () => stream.position === 'p2')
  stream.close()
  await read
})

test('the position of an item is the one after it, and is not enumerable, as rawEvent is not', async () => {
  const reset = 'event: stream.reset\ndata: {"reason":"log_changed","requested":"p0","earliest":"p5"}\nid: p5\n\n'
  const { stream } = await start([hold(reset + frameOf(6))])
  const found: object[] = []
  for await (const item of stream) {
    const { position } = item
    found.push(item.type === 'stream.reset' ? { position } : { position, rawEvent: item.rawEvent })
    expect(Object.keys(item).filter((name) => ['position', 'rawEvent', 'rawData'].includes(name))).toEqual([])
    if (found.length === 2) stream.close()
  }
  const rawEvent = /^data: (.*)$/m.exec(frameOf(6))?.[1]
  expect(rawEvent).toContain('"n":6.0')
  expect(found).toEqual([{ position: 'p5' }, { position: 'p6', rawEvent }])
})
