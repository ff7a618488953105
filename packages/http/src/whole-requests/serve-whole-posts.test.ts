import { afterEach, describe, expect, test } from '@jest/globals'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createMetrics, type WholePost } from '@ariftly/runtime'
import { createRouter } from '../create-router.ts'
import { Problem } from '../problem.ts'
import { readBody } from '../read-body.ts'
import { serveHttp, type HttpServer } from '../serve-http.ts'
import { defer, log } from '../test-server.ts'
import { createWholePosts } from './create-whole-posts.ts'

const open: HttpServer[] = []

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close(0)))
})

interface Ways {
  /** Requests that went the short way and the usual one. */
  readonly short: string[]
  readonly usual: string[]
  readonly server: HttpServer
}

/** A server that answers what it was sent, both ways; a body of `bad` is a problem, one of `much` a refusal, one of `slow` waits for `until`. */
async function serveBoth(o: { readonly until?: Promise<void>; readonly onlyUsual?: boolean } = {}): Promise<Ways> {
  const short: string[] = []
  const usual: string[] = []
  const metrics = createMetrics()

  async function answerTo(body: string, headers: Pick<WholePost, 'authorization' | 'contentType'>): Promise<string> {
    if (body === 'bad') throw new Problem(422, 'bad', { headers: { 'X-More': 'yes' } })
    if (body === 'much') throw new Problem(429, 'much', { headers: { 'Retry-After': '1' }, refusedKey: 'key_1' })
    if (body === 'slow') await o.until
    return JSON.stringify({ body, authorization: headers.authorization, type: headers.contentType, ä: 'ö' })
  }

  const router = createRouter({
    log,
    metrics,
    handlers: {
      async postEvents(req, res) {
        const body = String(await readBody(req, 1_000_000))
        usual.push(body)
        const { authorization, 'content-type': contentType } = req.headers
        const text = await answerTo(body, { authorization, contentType })
        res.writeHead(202, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) })
        res.end(text)
      },
    },
  })
  const wholePosts = createWholePosts({
    route: 'postEvents',
    log,
    metrics,
    async handler(whole, { headers }) {
      const body = String(whole.body)
      short.push(body)
      const text = await answerTo(body, whole)
      headers['Content-Type'] = 'application/json'
      return { status: 202, body: text }
    },
  })
  const server = await serveHttp({
    name: 'test',
    host: '127.0.0.1',
    port: 0,
    listener: router,
    wholePosts: o.onlyUsual === true ? undefined : wholePosts,
    log,
    headersTimeoutMs: 400,
    keepAliveTimeoutMs: 1500,
  })
  open.push(server)
  return { short, usual, server }
}

function post(body: string, headers: readonly string[] = [], first = 'POST /v1/events HTTP/1.1'): string {
  const head = [first, 'Host: x', 'Content-Type: application/json', 'X-Request-Id: r1', ...headers]
  return `${head.join('\r\n')}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

/**
 * Writes `first`, waits for its answer, writes the pieces one after the other, ends, and gives all that comes back, without the date. (While an answer is under way
 * the fate of what comes behind it is a matter of moments in node:http.)
 */
async function talk(port: number, pieces: readonly (string | Buffer)[], pauseMs = 2, first?: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
  const answer = collect(socket)
  if (first !== undefined) {
    socket.write(first)
    await new Promise((resolve) => socket.once('data', resolve))
  }
  for (const piece of pieces) {
    socket.write(piece)
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
  await new Promise((resolve) => setTimeout(resolve, 20))
  socket.end()
  return await answer
}

async function collect(socket: Socket): Promise<string> {
  let text = ''
  socket.on('error', () => {})
  socket.on('data', (chunk) => (text += String(chunk)))
  await new Promise((resolve) => socket.once('close', resolve))
  return text.replaceAll(/\r\nDate: [^\r]*/g, '')
}

/** Headers in the order of their names: the two ways write them in different order. */
function sorted(answers: string): string {
  return answers
    .split(/(?=HTTP\/1\.1 )/)
    .map((answer) => {
      const [head = '', ...rest] = answer.split('\r\n\r\n')
      const [status = '', ...lines] = head.split('\r\n')
      return [status, ...lines.map((line) => line.toLowerCase()).toSorted(), ...rest].join('\n')
    })
    .join('\n\n')
}

const ODD: readonly (readonly [name: string, request: string])[] = [
  ['a problem', post('bad')],
  ['a refusal', post('much')],
  ['an empty body', post('')],
  ['two requests in one write', post('one') + post('two')],
  ['a whole one and the beginning of the next', post('one') + post('two').slice(0, 40)],
  ['another path', post('x', [], 'POST /v1/events/x HTTP/1.1')],
  ['a query', post('x', [], 'POST /v1/events?a=1 HTTP/1.1')],
  ['another method', post('x', [], 'PUT /v1/events HTTP/1.1')],
  ['HTTP/1.0', post('x', [], 'POST /v1/events HTTP/1.0')],
  ['Connection: keep-alive and more', post('x', ['Connection: keep-alive, upgrade', 'Upgrade: x'])],
  ['Connection: close', post('x', ['Connection: close'])],
  ['Expect', post('x', ['Expect: 100-continue'])],
  ['an origin', post('x', ['Origin: https://a.example'])],
  ['a folded header', post('x', ['X-A: 1\r\n 2'])],
  ['a space before the colon', post('x', ['X-A : 1'])],
  ['a name that is no token', post('x', ['X(A: 1'])],
  ['a bare line feed', post('x', ['X-A: 1\nX-B: 2'])],
  ['a control character', post('x', ['X-A: a\u0001b'])],
  ['a value that is not ASCII', post('x', ['X-A: ä'])],
  ['an empty value', post('x', ['X-A:'])],
  ['spaces around a value', post('x', ['Authorization:   Bearer a  '])],
  ['a header twice', post('x', ['Authorization: Bearer a', 'Authorization: Bearer b'])],
  ['two hosts', post('x', ['Host: y'])],
  ['no host', post('x').replace('Host: x\r\n', '')],
  ['two lengths', post('x', ['Content-Length: 1'])],
  ['two lengths that differ', post('x', ['Content-Length: 2'])],
  ['a length with a sign', post('x').replace('Content-Length: 1', 'Content-Length: +1')],
  ['a length in hex', post('x').replace('Content-Length: 1', 'Content-Length: 0x1')],
  ['a list of lengths', post('x').replace('Content-Length: 1', 'Content-Length: 1, 1')],
  ['no length', post('x').replace('\r\nContent-Length: 1', '')],
  ['both lengths of a smuggler', `${post('0\r\n\r\n', ['Transfer-Encoding: chunked'])}GET /v1/events HTTP/1.1\r\n\r\n`],
  [
    'chunks',
    'POST /v1/events HTTP/1.1\r\nHost: x\r\nX-Request-Id: r1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n',
  ],
  ['an upgrade', post('x', ['Connection: Upgrade', 'Upgrade: websocket'])],
  ['a long head', post('x', [`X-A: ${'a'.repeat(9000)}`])],
  ['a long body', post('y'.repeat(100_000))],
  ['garbage', '\u0000\u0001\u0002\r\n\r\n'],
  ['nothing but a line', '\r\n'],
]

describe('a whole post', () => {
  test('goes the short way, again and again on one connection, and is answered as node:http would', async () => {
    const both = await serveBoth()
    const usual = await serveBoth({ onlyUsual: true })
    const pieces = [
      post('one'),
      post('tüö', ['Authorization: Bearer k']),
      post('bad'),
      post('much'),
      post('4', ['connection: Keep-Alive']),
    ]
    expect(sorted(await talk(both.server.port, pieces, 20))).toBe(sorted(await talk(usual.server.port, pieces, 20)))
    expect([both.short, both.usual]).toEqual([['one', 'tüö', 'bad', 'much', '4'], []])
    expect([usual.short, usual.usual]).toEqual([[], ['one', 'tüö', 'bad', 'much', '4']])
  })

  test('whose body comes a moment later goes the short way too', async () => {
    const { short, usual, server } = await serveBoth()
    const request = Buffer.from(post('later'))
    expect(await talk(server.port, [request.subarray(0, -5), request.subarray(-5)], 20)).toContain('"body":"later"')
    expect([short, usual]).toEqual([['later'], []])
  })

  test('whose rest does not come is left to the clocks of node:http', async () => {
    const { server } = await serveBoth()
    const answer = talk(server.port, [post('never').slice(0, -2)], 2500)
    // Half-closed within a body, which is a bad request there.
    expect(await answer).toMatch(/^HTTP\/1\.1 400 /)
  })

  test.each(ODD)('or anything unusual gets the answer of node:http: %s', async (_, request) => {
    const both = await serveBoth()
    const usual = await serveBoth({ onlyUsual: true })
    for (const [pieces, first] of [[[request]], [[request], post('first')], [cut(request)]] as const) {
      const answers = [both, usual].map(async ({ server }) => sorted(await talk(server.port, pieces, 2, first)))
      expect(await answers[0]).toBe(await answers[1])
    }
    expect(both.short.concat(both.usual).toSorted()).toEqual(usual.usual.toSorted())
  })

  test('is answered before what was sent behind it, in order', async () => {
    const until = defer()
    const { server } = await serveBoth({ until: until.promise })
    const answer = talk(server.port, [post('slow'), post('b') + post('c'), post('d')], 20)
    setTimeout(until.resolve, 30)
    expect([...(await answer).matchAll(/"body":"(\w+)"/g)].map(([, body]) => body)).toEqual(['slow', 'b', 'c', 'd'])
  })

  test('whose client is gone when its answer comes is no fault', async () => {
    const until = defer()
    const { short, server } = await serveBoth({ until: until.promise })
    const socket = connect(server.port, '127.0.0.1')
    socket.write(post('slow'))
    while (short.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    socket.destroy()
    await new Promise((resolve) => setTimeout(resolve, 30))
    until.resolve()
    expect(await talk(server.port, [post('after')])).toContain('"body":"after"')
  })
})

test('a burst of refusals does not stand before what comes a moment later', async () => {
  const { short, server } = await serveBoth()
  const sockets = await Promise.all(Array.from({ length: 61 }, () => usedSocket(server.port)))
  const [neighbour, ...flood] = sockets as [Socket, ...Socket[]]
  const answered: string[] = []
  const answers = flood.map((socket) => once(socket, 'data').then(() => answered.push('flood')))
  for (const socket of flood) socket.write(post('much'))
  while (short.length === sockets.length) await new Promise((resolve) => setImmediate(resolve))
  neighbour.write(post('one'))
  answers.push(once(neighbour, 'data').then(() => answered.push('neighbour')))
  await Promise.all(answers)
  expect(answered.indexOf('neighbour')).toBeLessThan(30)
  for (const socket of sockets) socket.destroy()
})

/** A connection on which a request was answered: the server has taken it. */
async function usedSocket(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  socket.write(post('first'))
  await once(socket, 'data')
  return socket
}

describe('connections of whole posts', () => {
  test('end when they are idle for too long, one that sent nothing sooner', async () => {
    const { server } = await serveBoth()
    const lastedMs = async (text: string): Promise<number> => {
      const startedMs = performance.now()
      const socket = connect(server.port, '127.0.0.1')
      if (text !== '') socket.write(text)
      await collect(socket)
      return performance.now() - startedMs
    }
    const [silent, used] = await Promise.all([lastedMs(''), lastedMs(post('x'))])
    expect(silent).toBeGreaterThan(390)
    expect(silent).toBeLessThan(1490)
    expect(used).toBeGreaterThan(1490)
  })

  test('a drain says Connection: close; closing ends idle ones at once and others after their answer', async () => {
    const until = defer()
    const { short, server } = await serveBoth({ until: until.promise })
    const idle = connect(server.port, '127.0.0.1')
    const idleEnd = collect(idle)
    idle.write(post('x'))
    const busy = connect(server.port, '127.0.0.1')
    const busyEnd = collect(busy)
    busy.write(post('slow'))
    while (short.length < 2) await new Promise((resolve) => setTimeout(resolve, 5))
    await new Promise((resolve) => setTimeout(resolve, 20))
    server.drain()
    expect(await talk(server.port, [post('y')])).toMatch(/\r\nConnection: close\r\n/)
    const closed = server.close(60_000)
    expect(await idleEnd).toMatch(/\r\nConnection: keep-alive\r\n/)
    until.resolve()
    expect(await busyEnd).toMatch(/\r\nConnection: close\r\n[^]*"body":"slow"/)
    await closed
  })

  test('what is not answered within the grace is cut', async () => {
    const { short, server } = await serveBoth({ until: new Promise(() => {}) })
    const socket = connect(server.port, '127.0.0.1')
    const end = collect(socket)
    socket.write(post('slow'))
    while (short.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    await server.close(50)
    expect(await end).toBe('')
  })
})

/** In up to eight pieces. */
function cut(text: string): Buffer[] {
  const bytes = Buffer.from(text)
  const size = Math.max(1, Math.ceil(bytes.length / 8))
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size))
}
