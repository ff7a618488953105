import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from '@jest/globals'
import { deferred } from '@ariftly/async'
import { createRouter, Problem, readBody, serveHttp, type HttpServer } from '@ariftly/http'
import { createLogger, createMetrics } from '@ariftly/runtime'
import { eventually } from '@ariftly/testkit'
import { createFastPath } from './create-fast-path.ts'

const log = createLogger({ service: 'test', level: 'silent' })
const open: HttpServer[] = []
const sockets: Socket[] = []

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await Promise.all(open.splice(0).map((server) => server.close(0)))
})

interface TestServer {
  readonly server: HttpServer
  /** The bodies that the fast path read, in order. */
  readonly bodies: readonly string[]
  /** The bodies that `node:http` read, and `…` when a request began. */
  readonly byHttp: readonly string[]
  /** The bodies whose call has ended. */
  readonly ended: readonly string[]
  /** Unsent bytes of each response that its client did not take immediately. */
  readonly unread: readonly number[]
}

/** A server that answers with the body: `slow` once `until` resolves, `limited` with 429, `big` with 8 MB. */
async function serve(
  until: Promise<void> = Promise.resolve(),
  timeouts?: { readonly headersTimeoutMs: number; readonly keepAliveTimeoutMs: number },
  unreadMax = Infinity,
): Promise<TestServer> {
  const bodies: string[] = []
  const byHttp: string[] = []
  const ended: string[] = []
  const unread: number[] = []
  const metrics = createMetrics()
  const connectionFront = createFastPath({
    route: 'postEvents',
    log,
    metrics,
    async handler({ body: bytes }, call) {
      const body = String(bytes)
      bodies.push(body)
      call.hold({
        answered(unsentBytes) {
          unread.push(unsentBytes)
          return unsentBytes <= unreadMax
        },
        release: () => void ended.push(body),
      })
      if (body === 'slow') await until
      if (body === 'limited') throw new Problem(429, 'quota_exceeded', { refusedKey: 'key_1' })
      return { status: 202, headers: {}, body: body === 'big' ? 'b'.repeat(8_000_000) : `<${body}>` }
    },
  })
  const listener = createRouter({
    log,
    metrics,
    handlers: {
      async postEvents(req, res) {
        byHttp.push('…')
        const body = String(await readBody(req, 1_000_000))
        byHttp.push(body)
        res.end(`<${body}>`)
      },
    },
  })
  const server = await serveHttp({
    name: 'test',
    host: '127.0.0.1',
    port: 0,
    listener,
    connectionFront,
    log,
    ...(timeouts === undefined ? {} : { timeouts }),
  })
  open.push(server)
  return { server, bodies, byHttp, ended, unread }
}

interface Client {
  readonly socket: Socket
  /** All received text. */
  readonly text: () => string
  readonly closed: Promise<unknown>
}

function connectTo({ port }: HttpServer): Client {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
  sockets.push(socket)
  let text = ''
  socket.on('error', () => {})
  socket.on('data', (chunk) => (text += String(chunk)))
  return { socket, text: () => text, closed: new Promise((resolve) => socket.once('close', resolve)) }
}

function post(body: string): string {
  return `POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`
}

const answersIn = (text: string): readonly (string | undefined)[] =>
  [...text.matchAll(/<(\w+)>/g)].map(([, body]) => body)

describe('a connection of the fast path', () => {
  test('answers pipelined requests in order, on the fast path or not', async () => {
    const until = deferred()
    const { server, bodies } = await serve(until.promise)
    const { socket, text } = connectTo(server)
    socket.write(post('slow'))
    await eventually('the first body is read', () => bodies.length === 1)
    socket.write(post('b') + post('c'))
    socket.write(post('d'))
    until.resolve()
    await eventually('4 answers', () => answersIn(text()).length === 4)
    expect(answersIn(text())).toEqual(['slow', 'b', 'c', 'd'])
  })

  test('answers a client that has ended its side', async () => {
    const until = deferred()
    const { server, bodies } = await serve(until.promise)
    const { socket, text, closed } = connectTo(server)
    socket.end(post('slow'))
    await eventually('the first body is read', () => bodies.length === 1)
    until.resolve()
    await eventually('the first answer', () => answersIn(text()).length === 1)
    await closed
  })

  test('hands a request over to node:http when the end of it does not arrive', async () => {
    const { server, bodies, byHttp } = await serve()
    const { socket, text } = connectTo(server)
    const request = post('late')
    socket.write(request.slice(0, -2))
    await eventually('Node has the request', () => byHttp.length === 1)
    socket.write(request.slice(-2))
    await eventually('the first answer', () => answersIn(text()).length === 1)
    expect([bodies, byHttp]).toEqual([[], ['…', 'late']])
  })

  test('ends the call of a client that has disconnected', async () => {
    const until = deferred()
    const { server, bodies, ended } = await serve(until.promise)
    const gone = connectTo(server)
    gone.socket.write(post('slow'))
    await eventually('the first body is read', () => bodies.length === 1)
    gone.socket.destroy()
    await gone.closed
    until.resolve()
    await eventually('the connection has ended', () => ended.length === 1)
  })

  test('reads nothing more from a client that does not read its response', async () => {
    const { server, bodies, ended, unread } = await serve()
    const { socket, text } = connectTo(server)
    socket.pause()
    socket.write(post('big'))
    await eventually('the first body is read', () => bodies.length === 1)
    socket.write(post('next'))
    // Enough ticks of the server's event loop to read it.
    for (let tick = 0; tick < 20; tick += 1) await new Promise((resolve) => setImmediate(resolve))
    expect(bodies).toEqual(['big'])
    // The memory of the response is held until it is read.
    expect(ended).toEqual([])
    expect(unread).toEqual([expect.any(Number)])
    socket.resume()
    await eventually('the answer to the next request', () => answersIn(text()).includes('next'))
    expect(ended).toEqual(['big', 'next'])
  })

  test('cuts a client that does not read its response where there is no memory for that', async () => {
    const { server, ended, unread } = await serve(undefined, undefined, 1_000_000)
    const { socket, text } = connectTo(server)
    socket.pause()
    socket.write(post('big'))
    await eventually('the connection has ended', () => ended.length === 1)
    expect(unread[0]).toBeGreaterThan(1_000_000)
    const ending = once(socket, 'end')
    socket.resume()
    await ending
    expect(text().length).toBeLessThan(8_000_000)
  })

  test('ends the call of a client that disconnects without reading its response', async () => {
    const { server, ended, unread } = await serve()
    const { socket } = connectTo(server)
    socket.pause()
    socket.write(post('big'))
    await eventually('one request is unread', () => unread.length === 1)
    socket.destroy()
    await eventually('the connection has ended', () => ended.length === 1)
  })

  test('is closed when it is idle for too long, a new one sooner', async () => {
    const timeouts = { headersTimeoutMs: 400, keepAliveTimeoutMs: 1500 }
    const { server } = await serve(undefined, timeouts)
    const lastedMs = async (text: string): Promise<number> => {
      const startedMs = performance.now()
      const { socket, closed } = connectTo(server)
      socket.write(text)
      socket.on('end', () => socket.end())
      await closed
      return performance.now() - startedMs
    }
    const [silent, used] = await Promise.all([lastedMs(''), lastedMs(post('x'))])
    expect(silent).toBeGreaterThan(timeouts.headersTimeoutMs - 10)
    expect(used).toBeGreaterThan(timeouts.keepAliveTimeoutMs - 10)
    expect(silent).toBeLessThan(used)
  })
})

test('a burst of refusals does not delay a request a moment later', async () => {
  const { server, bodies } = await serve()
  const clients = Array.from({ length: 61 }, () => connectTo(server))
  await Promise.all(
    clients.map(async ({ socket, text }) => {
      socket.write(post('first'))
      await eventually('the first answer', () => answersIn(text()).length === 1)
    }),
  )
  const [neighbour, ...flood] = clients as [Client, ...Client[]]
  const answered: string[] = []
  const answers = flood.map(({ socket }) => once(socket, 'data').then(() => answered.push('flood')))
  for (const { socket } of flood) socket.write(post('limited'))
  const before = bodies.length
  for (let tick = 0; bodies.length === before && tick < 10_000; tick += 1) {
    await new Promise((resolve) => setImmediate(resolve))
  }
  answers.push(once(neighbour.socket, 'data').then(() => answered.push('neighbour')))
  neighbour.socket.write(post('one'))
  await Promise.all(answers)
  expect(answered.indexOf('neighbour')).toBeLessThan(30)
})

describe('the end of a server', () => {
  test('a drain says Connection: close; closing ends idle connections immediately and others after their response', async () => {
    const until = deferred()
    const { server, bodies } = await serve(until.promise)
    const idle = connectTo(server)
    idle.socket.write(post('x'))
    await eventually('the first answer', () => answersIn(idle.text()).length === 1)
    expect(idle.text()).toMatch(/\r\nConnection: keep-alive\r\n/)
    const busy = connectTo(server)
    busy.socket.write(post('slow'))
    await eventually('2 bodies are read', () => bodies.length === 2)
    server.drain()
    const late = connectTo(server)
    late.socket.write(post('y'))
    await once(late.socket, 'end')
    expect(late.text()).toMatch(/\r\nConnection: close\r\n/)
    late.socket.end()
    const closed = server.close(60_000)
    await once(idle.socket, 'end')
    idle.socket.end()
    until.resolve()
    await once(busy.socket, 'end')
    expect(busy.text()).toMatch(/\r\nConnection: close\r\n[^]*<slow>/)
    busy.socket.end()
    await closed
  })

  test('a request sent ahead is not read once Connection: close was said', async () => {
    const until = deferred()
    const { server, bodies, byHttp } = await serve(until.promise)
    const { socket, text } = connectTo(server)
    socket.write(post('slow'))
    await eventually('the first body is read', () => bodies.length === 1)
    socket.write(post('ahead'))
    server.drain()
    until.resolve()
    await once(socket, 'end')
    // The client keeps sending: the server cuts the connection after a moment.
    await eventually('the connection is closed', () => {
      socket.write(post('behind'))
      return socket.destroyed
    })
    expect(answersIn(text())).toEqual(['slow'])
    expect([bodies, byHttp]).toEqual([['slow'], []])
  })

  test('a request that is not answered within the grace is cut', async () => {
    const { server, bodies } = await serve(new Promise(() => {}))
    const { socket, text, closed } = connectTo(server)
    socket.write(post('slow'))
    await eventually('the first body is read', () => bodies.length === 1)
    socket.on('end', () => socket.end())
    await server.close(50)
    await closed
    expect(text()).toBe('')
  })
})
