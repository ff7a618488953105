import { execFile } from 'node:child_process'
import { setImmediate } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { collectGarbage, eventually, keepCollectingGarbage } from '@ariftly/testkit'
import { Ariftly, type ClientOptions, type EventStream, type StreamOptions } from '../index.ts'
import { frameOf, openStream, startStreamServer, type TestStreamServer } from './test-stream-server.ts'

// On Node 20 the garbage collector cuts the link between `fetch` and its signal, so it runs while these streams wait.
let server: TestStreamServer
let stopCollecting: () => void
let open: number

beforeEach(async () => {
  open = 0
  let next = 0
  server = await startStreamServer((res) => {
    open += 1
    res.on('close', () => (open -= 1))
    openStream(res, frameOf((next += 1)))
  })
  stopCollecting = keepCollectingGarbage(150)
})

afterEach(async () => {
  stopCollecting()
  await server.close()
})

const start = (options: StreamOptions = {}, more: ClientOptions = {}) => {
  const client = new Ariftly({ baseUrl: server.url, apiKey: 'key', ...more })
  return { client, stream: client.events.stream(options) }
}

/** Reads until the loop ends, and answers with the number of items. */
async function readAll(stream: EventStream): Promise<number> {
  let items = 0
  for await (const item of stream) if (item.type !== 'stream.reset') items += 1
  return items
}

/** Resolves when the stream has had its event, and waits for the next one since before a collection. */
async function waiting(stream: EventStream): Promise<void> {
  await eventually('position p1', () => stream.position === 'p1')
  await collect()
}

/** In a later event-loop tick, as objects used in this one are kept. */
async function collect(): Promise<void> {
  await setImmediate()
  collectGarbage()
  await setImmediate()
}

describe('a stream that waits for its next event', () => {
  test('ends by close, with its connection', async () => {
    const { stream } = start()
    const read = readAll(stream)
    await waiting(stream)
    stream.close()
    expect(await read).toBe(1)
    await eventually('no open connection', () => open === 0)
  })

  test('ends by its signal, with its connection', async () => {
    const controller = new AbortController()
    const { stream } = start({ signal: controller.signal })
    const read = readAll(stream)
    await waiting(stream)
    controller.abort()
    expect(await read).toBe(1)
    await eventually('no open connection', () => open === 0)
  })

  test('ends by the close of its client, after which another one has ended too', async () => {
    const { client, stream } = start()
    const read = readAll(stream)
    await waiting(stream)
    await client.close()
    expect(await read).toBe(1)
    await eventually('no open connection', () => open === 0)
    expect(await readAll(client.events.stream())).toBe(0)
  })

  test('is opened again when its connection is silent', async () => {
    const { stream } = start({ stallTimeoutMs: 400 })
    const read = readAll(stream)
    await eventually('position p2', () => stream.position === 'p2')
    stream.close()
    expect(await read).toBeGreaterThanOrEqual(2)
    await eventually('no open connection', () => open === 0)
  })

  test('is opened again by reconnect, immediately and with its position', async () => {
    const { stream } = start()
    const read = readAll(stream)
    await waiting(stream)
    stream.reconnect()
    await eventually('position p2', () => stream.position === 'p2')
    expect(server.requests[1]?.headers['last-event-id']).toBe('p1')
    expect(open).toBe(1)
    stream.close()
    await read
  })

  test('is opened again with another token before the first one ends', async () => {
    let asked = 0
    const streamToken = async () => ({
      token: `st_${(asked += 1)}`,
      expires_at: new Date(Date.now() + (asked === 1 ? 1500 : 60_000)).toISOString(),
    })
    const { stream } = start({}, { apiKey: undefined, streamToken })
    const read = readAll(stream)
    await eventually('position p2', () => stream.position === 'p2')
    expect(server.requests[1]?.url).toContain('token=st_2')
    stream.close()
    await read
    await eventually('no open connection', () => open === 0)
  })
})

test('leaving the loop ends its connection', async () => {
  for await (const item of start().stream) {
    expect(item.position).toBe('p1')
    await collect()
    break
  }
  await eventually('no open connection', () => open === 0)
})

test('a stream whose token never arrives ends by close', async () => {
  const { stream } = start({}, { apiKey: undefined, streamToken: () => new Promise(() => {}) })
  const read = readAll(stream)
  await eventually('the stream is connecting', () => stream.state.type === 'connecting')
  stream.close()
  expect(await read).toBe(0)
})

test('a clock that is ahead of the tokens makes no storm of renewals', async () => {
  let asked = 0
  const expiresAt = new Date(Date.now() - 60_000).toISOString()
  const streamToken = async () => ({ token: `st_${(asked += 1)}`, expires_at: expiresAt })
  const { stream } = start({}, { apiKey: undefined, streamToken })
  const atMs = performance.now()
  const read = readAll(stream)
  await eventually('position p3', () => stream.position === 'p3')
  // One renewal a second, of which the third connection needs two.
  expect(performance.now() - atMs).toBeGreaterThanOrEqual(1900)
  stream.close()
  await read
})

test('a program that leaves the loop ends', async () => {
  const program = `
    import { Ariftly } from '@ariftly/sdk'
    const client = new Ariftly({ baseUrl: process.argv[1], apiKey: 'key' })
    for await (const item of client.events.stream()) {
      await new Promise(setImmediate)
      gc()
      console.log(item.position)
      break
    }`
  const flags = ['--expose-gc', '--conditions=@ariftly/source', '--import', 'tsx', '--input-type=module']
  const options = { timeout: 20_000, cwd: import.meta.dirname }
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, '-e', program, server.url], options)
  expect(stdout).toBe('p1\n')
})
