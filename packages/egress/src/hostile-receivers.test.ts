import { once } from 'node:events'
import { createServer as createHttp, type RequestListener } from 'node:http'
import { createServer as createHttps } from 'node:https'
import { createServer as createTcp, type AddressInfo, type Server, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from '@jest/globals'
import { eventually } from '@ariftly/testkit'
import { createEgressPolicy } from './index.ts'
import { createEgress, type Egress, type EgressOptions } from './egress.ts'
import { CERTIFICATE, EXPIRED_CERTIFICATE, KEY } from './test-certificates.ts'

/** The deadline in tests of late answers. */
const TIMEOUT_MS = 400
/** On a busy machine a deadline is noticed late, and an honest answer takes its time: only what never ends takes longer. */
const PATIENCE_MS = 20_000
const SHORT_ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const releases: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const release of releases.splice(0).toReversed()) await release()
})

const toLoopback = async () => [{ address: '127.0.0.1', family: 4 as const }]

function newEgress(o: Partial<EgressOptions> = {}): Egress {
  const policy = createEgressPolicy({ allowHttp: true })
  const egress = createEgress({ policy, resolve: toLoopback, ...o })
  releases.push(egress.close)
  return egress
}

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  releases.push(async () => {
    const closed = once(server, 'close')
    server.close()
    for (const socket of sockets) socket.destroy()
    await closed
  })
  return (server.address() as AddressInfo).port
}

const http = (listener: RequestListener) => listen(createHttp(listener))
const https = (cert: string, listener: RequestListener = (_, response) => response.end('ok')) =>
  listen(createHttps({ key: KEY, cert }, listener))
/** Answers the head of a request with raw bytes, as no honest server would. */
const raw = (answer: (socket: Socket) => void) =>
  listen(createTcp((socket) => socket.once('data', () => answer(socket))))

async function send(egress: Egress, port: number, o: { host?: string; scheme?: string; timeoutMs?: number } = {}) {
  const { host = '127.0.0.1', scheme = 'http', timeoutMs = PATIENCE_MS } = o
  const url = new URL(`${scheme}://${host}:${port}/hook?x=1`)
  const startedAt = performance.now()
  const outcome = await egress.send({ url, headers: { 'x-test': 'yes' }, body: Buffer.from('{"a":1}'), timeoutMs })
  return { ...outcome, tookMs: performance.now() - startedAt }
}

describe('an honest receiver', () => {
  test('gets the bytes and headers unchanged, and its answer is kept with the times', async () => {
    const seen: unknown[] = []
    const port = await http((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const { method, url, headers } = request
        seen.push([method, url, headers['x-test'], headers['content-length'], Buffer.concat(chunks).toString()])
        response.writeHead(202, { 'x-answer': ['one', 'two'] }).end('thanks')
      })
    })
    const outcome = await send(newEgress(), port)
    expect(seen).toEqual([['POST', '/hook?x=1', 'yes', '7', '{"a":1}']])
    expect(outcome).toMatchObject({ errorClass: null, status: 202, address: '127.0.0.1' })
    expect(outcome.responseHeaders?.['x-answer']).toBe('one, two')
    expect(outcome.responseBody?.toString()).toBe('thanks')
    expect(outcome.timing).toMatchObject({
      tlsMs: null,
      connectMs: expect.any(Number),
      firstByteMs: expect.any(Number),
    })
    expect(outcome.timing.totalMs).toBeGreaterThanOrEqual(outcome.timing.firstByteMs ?? Number.NaN)
  })

  test('keeps one connection for request after request, which then costs no look-up', async () => {
    let connections = 0
    const server = createHttp((_, response) => response.end())
    server.on('connection', () => (connections += 1))
    const port = await listen(server)
    const egress = newEgress()
    for (let index = 0; index < 5; index += 1) await send(egress, port)
    expect(connections).toBe(1)
    expect((await send(egress, port)).timing).toMatchObject({ dnsMs: 0, connectMs: 0 })
  })

  test('that closes idle connections still gets each request', async () => {
    let answered = 0
    const port = await raw((socket) => {
      answered += 1
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
      socket.once('data', () => socket.resetAndDestroy()) // The second request on a connection is refused by a reset.
    })
    const egress = newEgress()
    expect(await send(egress, port)).toMatchObject({ status: 200, errorClass: null })
    expect(await send(egress, port)).toMatchObject({ status: 200, errorClass: null })
    expect(answered).toBe(2)
  })

  test('whose idle connections have all been cut gets the request on a new one', async () => {
    const sockets: Socket[] = []
    let dying = false
    const server = createHttp((request, response) => {
      if (dying && sockets.slice(0, 3).includes(request.socket)) request.socket.resetAndDestroy()
      else setTimeout(() => response.end('ok'), 20)
    })
    server.on('connection', (socket) => void sockets.push(socket))
    const port = await listen(server)
    const egress = newEgress()
    await Promise.all([send(egress, port), send(egress, port), send(egress, port)])
    expect(sockets).toHaveLength(3)
    dying = true
    expect(await send(egress, port)).toMatchObject({ errorClass: null, status: 200 })
    expect(sockets).toHaveLength(4)
  })

  test("gets all concurrent requests: none waits for another tenant's", async () => {
    const held: (() => void)[] = []
    const port = await http((_, response) => {
      held.push(() => response.end())
      if (held.length === 300) for (const end of held) end()
    })
    const egress = newEgress()
    const outcomes = await Promise.all(Array.from({ length: 300 }, () => send(egress, port)))
    expect(outcomes.every(({ errorClass }) => errorClass === null)).toBe(true)
  })

  test('that sends many headers has 2 KiB of them stored, and its Retry-After always', async () => {
    const port = await http((_, response) => {
      for (let number = 0; number < 60; number += 1) response.setHeader(`x-${number}`, 'v'.repeat(100))
      response.setHeader('retry-after', '7')
      response.statusCode = 503
      response.end()
    })
    const { responseHeaders } = await send(newEgress(), port)
    expect(JSON.stringify(responseHeaders).length).toBeLessThan(3 * 1024)
    expect(responseHeaders).toMatchObject({ 'retry-after': '7', 'x-0': 'v'.repeat(100) })
  })
})

describe('a hostile receiver', () => {
  test.each([
    ['accepts and says nothing', () => {}],
    ['sends its status a byte at a time', (socket: Socket) => drip(socket, 'HTTP/1.1 200 OK\r\n')],
    ['sends endless small headers slowly', (socket: Socket) => drip(socket, 'HTTP/1.1 200 OK\r\n', 'x: y\r\n')],
    ['sends an endless body slowly', (socket: Socket) => drip(socket, 'HTTP/1.1 200 OK\r\n\r\n', 'x')],
    ['sends interim answers without end', (socket: Socket) => drip(socket, '', 'HTTP/1.1 102 Processing\r\n\r\n')],
    ['closes its half and waits', (socket: Socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab')],
  ])('that %s is cut off at the deadline', async (_, answer: (socket: Socket) => void) => {
    const outcome = await send(newEgress(), await raw(answer), { timeoutMs: TIMEOUT_MS })
    expect(outcome.errorClass).toBe('timeout')
    expect(outcome.tookMs).toBeGreaterThan(TIMEOUT_MS - 50)
    expect(outcome.tookMs).toBeLessThan(PATIENCE_MS)
  })

  test.each([
    [
      'resets in the middle of its answer',
      (socket: Socket) => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nab', () => socket.resetAndDestroy())
      },
    ],
    [
      'ends in the middle of its answer',
      (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nab'),
    ],
    ['closes without an answer', (socket: Socket) => socket.end()],
    [
      'sends 100 Continue, which was not requested',
      (socket: Socket) => socket.end(`HTTP/1.1 100 Continue\r\n\r\n${SHORT_ANSWER}`),
    ],
    ['does not speak HTTP', (socket: Socket) => socket.end('SSH-2.0-OpenSSH_9.9\r\n')],
    [
      'sends headers without end',
      (socket: Socket) => flood(socket, 'HTTP/1.1 200 OK\r\n', `x: ${'y'.repeat(1000)}\r\n`),
    ],
  ])('that %s is a failure immediately', async (_, answer: (socket: Socket) => void) => {
    const outcome = await send(newEgress(), await raw(answer))
    expect(outcome.errorClass).toBe('connection_reset')
  })

  test('that sends early hints before its answer is a success', async () => {
    const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'
    const port = await raw((socket) => socket.end(`${hints}${SHORT_ANSWER}`))
    expect(await send(newEgress(), port)).toMatchObject({ errorClass: null, status: 200 })
  })

  test('that sends an endless body is read for 64 KiB, of which 16 KiB are stored, and is a success', async () => {
    const flooding: Socket[] = []
    const port = await raw((socket) => {
      flood(socket, 'HTTP/1.1 200 OK\r\n\r\n', 'z'.repeat(16_384))
      flooding.push(socket)
    })
    const outcome = await send(newEgress(), port)
    expect(outcome).toMatchObject({ errorClass: null, status: 200 })
    expect(outcome.responseBody).toHaveLength(16 * 1024)
    const [socket] = flooding as [Socket]
    await eventually('the socket is closed', () => socket.closed)
    // The kernel's buffers of both sides take some MB that are never read; reading to the deadline would take gigabytes.
    expect(socket.bytesWritten).toBeLessThan(64 * 1024 * 1024)
  })

  test('that answers with a gzip body that unpacks to far more has nothing unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(10 * 1024 * 1024))
    const port = await http((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb)
    })
    const outcome = await send(newEgress(), port)
    expect(outcome).toMatchObject({ errorClass: null, status: 200 })
    expect(outcome.responseBody?.equals(bomb.subarray(0, 16 * 1024))).toBe(true)
  })

  test('that redirects is not followed, wherever it points', async () => {
    let requests = 0
    const port = await http((_, response) => {
      requests += 1
      response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data' }).end()
    })
    expect(await send(newEgress(), port)).toMatchObject({ errorClass: 'http_3xx', status: 302 })
    expect(requests).toBe(1)
  })

  test.each([
    [404, 'http_4xx'],
    [410, 'http_4xx'],
    [500, 'http_5xx'],
  ])('that answers %i is %s', async (status, errorClass) => {
    const port = await http((_, response) => response.writeHead(status).end('no'))
    expect(await send(newEgress(), port)).toMatchObject({ errorClass, status })
  })

  test('whose port is closed is connection_refused', async () => {
    const server = createTcp()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    server.close()
    await once(server, 'close')
    expect(await send(newEgress(), port)).toMatchObject({ errorClass: 'connection_refused', status: null })
  })

  test('delays no other request', async () => {
    const egress = newEgress()
    const hung: Socket[] = []
    const hanging = await raw((socket) => hung.push(socket))
    const healthy = await http((_, response) => response.end())
    const stuck = Array.from({ length: 50 }, () => send(egress, hanging))
    expect((await send(egress, healthy)).errorClass).toBeNull()
    await eventually('all requests hang', () => hung.length === stuck.length)
    for (const socket of hung) socket.destroy()
    expect((await Promise.all(stuck)).every(({ errorClass }) => errorClass === 'connection_reset')).toBe(true)
  })
})

describe('TLS', () => {
  test('verifies the name, and times the handshake', async () => {
    const port = await https(CERTIFICATE)
    const egress = newEgress({ ca: CERTIFICATE })
    const outcome = await send(egress, port, { scheme: 'https', host: 'receiver.test' })
    expect(outcome).toMatchObject({ errorClass: null, status: 200, address: '127.0.0.1' })
    expect(outcome.timing.tlsMs).toBeGreaterThan(0)
  })

  test.each([
    ['another name', CERTIFICATE, 'other.test', CERTIFICATE],
    ['an expired certificate', EXPIRED_CERTIFICATE, 'receiver.test', EXPIRED_CERTIFICATE],
    ['an untrusted certificate', CERTIFICATE, 'receiver.test', undefined],
  ])('refuses %s before anything is sent', async (_, cert, host, ca) => {
    let requests = 0
    const port = await https(cert, (_request, response) => {
      requests += 1
      response.end()
    })
    const outcome = await send(newEgress(ca === undefined ? {} : { ca }), port, {
      scheme: 'https',
      host,
    })
    expect(outcome).toMatchObject({ errorClass: 'tls_error', status: null })
    expect(requests).toBe(0)
  })

  test('says tls_error for a server without TLS', async () => {
    const port = await raw((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    const outcome = await send(newEgress(), port, { scheme: 'https', host: 'receiver.test' })
    expect(outcome.errorClass).toBe('tls_error')
  })

  test('cuts a handshake that hangs at the deadline', async () => {
    const port = await raw(() => {})
    const outcome = await send(newEgress(), port, { scheme: 'https', host: 'receiver.test', timeoutMs: TIMEOUT_MS })
    expect(outcome.errorClass).toBe('timeout')
    expect(outcome.tookMs).toBeLessThan(PATIENCE_MS)
  })
})

/** Writes `first`, then a piece every 20 ms without end: `then`, or nothing but `first` itself, a byte at a time. */
function drip(socket: Socket, first: string, then?: string): void {
  const pieces = then === undefined ? first.split('') : []
  if (then !== undefined) socket.write(first)
  const timer = setInterval(() => socket.write(then ?? pieces.shift() ?? ''), 20)
  socket.once('close', () => clearInterval(timer))
}

function flood(socket: Socket, first: string, then: string): void {
  socket.write(first)
  const push = () => {
    while (!socket.destroyed && socket.write(then));
  }
  socket.on('drain', push)
  push()
}
