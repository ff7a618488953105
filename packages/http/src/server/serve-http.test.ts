import { afterEach, describe, expect, test } from '@jest/globals'
import type { RequestListener } from 'node:http'
import { connect, type Socket } from 'node:net'
import { createMetrics } from '@ariftly/runtime'
import { sampleCaller } from '@ariftly/testkit'
import { sleep } from '@ariftly/async'
import { createExpressApp } from '../routing/express-app.ts'
import { Problem } from '../answers/problem.ts'
import { sendJson } from '../answers/send-json.ts'
import { serveHttp } from './serve-http.ts'
import { closeServers, defer, log, raw, serve } from './test-server.ts'

afterEach(closeServers)

/** More than the system takes for a client. */
const ANSWER = 'a'.repeat(16_000_000)

/** A client that sends requests and reads nothing until it resumes; the bytes read then. */
async function askUnread(
  port: number,
  head = 'GET / HTTP/1.1',
): Promise<{ readonly socket: Socket; readonly read: () => Promise<number> }> {
  const socket = connect(port, '127.0.0.1').pause()
  socket.on('error', () => {})
  socket.write(`${head}\r\nHost: x\r\nConnection: close\r\n\r\n`)
  await new Promise((resolve) => socket.once('readable', resolve))
  async function read(): Promise<number> {
    let bytes = 0
    for await (const chunk of socket) bytes += (chunk as Buffer).length
    return bytes
  }
  return { socket, read }
}

describe('serveHttp', () => {
  test('closing ends idle connections immediately and lets a running answer end, with Connection: close', async () => {
    const [arrived, mayAnswer] = [defer(), defer()]
    const server = await serve((req, res) => {
      if (req.url !== '/slow') return void res.end('quick')
      void mayAnswer.promise.then(() => res.end('slow'))
      arrived.resolve()
    })
    const idle = connect(server.port, '127.0.0.1')
    const idleClosed = new Promise((resolve) => idle.once('close', resolve))
    await new Promise((resolve) => idle.once('data', resolve).write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'))
    const slow = raw(server.port, 'GET /slow HTTP/1.1\r\nHost: x\r\n\r\n')
    await arrived.promise
    const closed = server.close(60_000)
    await idleClosed
    mayAnswer.resolve()
    expect(await slow).toMatch(/Connection: close[^]*slow$/)
    await closed
    await expect(fetch(`http://127.0.0.1:${server.port}/`)).rejects.toThrow()
  })

  test('closing ends a connection whose keep-alive answer had begun before', async () => {
    const [begun, mayEnd] = [defer(), defer()]
    const server = await serve((_req, res) => {
      res.write('begun ')
      begun.resolve()
      void mayEnd.promise.then(() => res.end('ended'))
    })
    const answer = raw(server.port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await begun.promise
    const closed = server.close(60_000)
    mayEnd.resolve()
    await closed
    expect(await answer).toMatch(/keep-alive[^]*begun[^]*ended/)
  })

  test('cuts what does not end within the grace', async () => {
    const arrived = defer()
    const server = await serve(() => arrived.resolve())
    const never = raw(server.port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n').catch(() => 'reset')
    await arrived.promise
    await server.close(50)
    expect(['', 'reset']).toContain(await never)
  })

  test('routes a target in absolute form by its path', async () => {
    const { port } = await serve((req, res) => res.end(`<${req.url}>`))
    const targets = ['http://x/v1/events', 'HTTP://x:80/v1/events?a=1', 'https://x', 'http://x?a=1', '/http://x/y']
    const answers = await Promise.all(
      targets.map((target) => raw(port, `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)),
    )
    expect(answers.map((answer) => /<(.*)>/.exec(answer)?.[1])).toEqual([
      '/v1/events',
      '/v1/events?a=1',
      '/',
      '/?a=1',
      '/http://x/y',
    ])
  })

  describe('with clients that do not read their answers', () => {
    test('cuts the largest answers when more waits than may', async () => {
      let answers = 0
      const listener: RequestListener = (_req, res) => void res.end((answers += 1) === 1 ? ANSWER.slice(8e6) : ANSWER)
      const { port } = await serve(listener, { unread: { bytesMax: 40_000_000, timeoutMs: 60_000 } })
      const first = await askUnread(port)
      const others = []
      for (let number = 0; number < 4; number += 1) others.push(await askUnread(port))
      expect(await first.read()).toBeGreaterThan(8e6)
      const got = await Promise.all(others.map(async ({ read }) => await read().catch(() => 0)))
      const whole = got.filter((bytes) => bytes > ANSWER.length).length
      expect(whole).toBeGreaterThan(0)
      expect(whole).toBeLessThan(4)
    })

    test('cuts answers without a key, which hold most, and not the larger page of a tenant', async () => {
      const page = Buffer.alloc(20_000_000, 'a')
      const listener = createExpressApp({
        log,
        metrics: createMetrics(),
        auth: {
          authenticate(authorization) {
            if (authorization === undefined) throw new Problem(401, 'missing_api_key')
            return sampleCaller({ tenant: authorization })
          },
        },
        routes: { listEvents: (_call, _req, res) => sendJson(res, 200, page) },
        open: { getDocs: (_req, res) => void res.end(ANSWER) },
      })
      const { port } = await serve(listener, { unread: { bytesMax: 60_000_000, timeoutMs: 60_000 } })
      const paying = await askUnread(port, 'GET /v1/events HTTP/1.1\r\nAuthorization: paying')
      const strangers = []
      for (let number = 0; number < 5; number += 1) strangers.push(await askUnread(port, 'GET /docs HTTP/1.1'))
      const other = await askUnread(port, 'GET /v1/events HTTP/1.1\r\nAuthorization: other')
      expect(await paying.read()).toBeGreaterThan(page.length)
      expect(await other.read()).toBeGreaterThan(page.length)
      const got = await Promise.all(strangers.map(async ({ read }) => await read().catch(() => 0)))
      expect(got.filter((bytes) => bytes < ANSWER.length).length).toBeGreaterThan(0)
    })

    test('cuts a client that reads nothing for too long, and not one that reads', async () => {
      const listener: RequestListener = (_req, res) => void res.end(ANSWER)
      const timeoutMs = 300
      const { port } = await serve(listener, { unread: { bytesMax: 1e9, timeoutMs } })
      const [idle, reading] = [await askUnread(port), await askUnread(port)]
      expect(await reading.read()).toBeGreaterThan(ANSWER.length)
      await sleep(5 * timeoutMs)
      expect(await idle.read().catch(() => 0)).toBeLessThan(ANSWER.length)
    })
  })

  test('answers a head that is too long with a problem and a request id, and no reset', async () => {
    const server = await serve((_req, res) => res.end('unreachable'))
    for (const length of [17_000, 400_000]) {
      const answer = await raw(server.port, `GET /v1/events?x=${'a'.repeat(length)} HTTP/1.1\r\nHost: x\r\n\r\n`)
      const [head = '', body = ''] = answer.split('\r\n\r\n')
      expect(head).toMatch(/^HTTP\/1\.1 431 Request Header Fields Too Large\r\n/)
      const requestId = /^X-Request-Id: (\S+)$/m.exec(head)?.[1]
      expect(requestId).toMatch(/^req_[0-9a-f]{32}$/)
      expect(JSON.parse(body)).toMatchObject({ status: 431, code: 'headers_too_large', request_id: requestId })
    }
  })

  test('answers bytes that are no HTTP with a problem', async () => {
    const server = await serve((_req, res) => res.end('unreachable'))
    const answer = await raw(server.port, 'HELLO\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
    expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({ status: 400, code: 'malformed_request' })
  })

  test.each([
    ['two Host lines', 'GET / HTTP/1.1\r\nHost: x\r\nhost: x\r\nConnection: close\r\n\r\n'],
    ['two Host lines in HTTP/1.0', 'GET / HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n'],
    ['no Host', 'POST / HTTP/1.1\r\nContent-Length: 2\r\nConnection: close\r\n\r\nab'],
    ['the version 2.0', 'GET / HTTP/2.0\r\nHost: x\r\n\r\n'],
    ['the version 0.9', 'GET / HTTP/0.9\r\nHost: x\r\n\r\n'],
    ['an unknown version', 'GET / HTTP/1.2\r\nHost: x\r\n\r\n'],
  ])('answers a head with %s with a problem and a request id', async (_what, text) => {
    const { port } = await serve((_req, res) => res.end('unreachable'))
    const [head = '', body = ''] = (await raw(port, text)).split('\r\n\r\n')
    expect(head).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
    expect(head).toMatch(/\r\nContent-Type: application\/problem\+json\r\n/)
    const requestId = /^X-Request-Id: (\S+)\r$/m.exec(`${head}\r\n`)?.[1]
    expect(requestId).toMatch(/^req_[0-9a-f]{32}$/)
    expect(JSON.parse(body)).toMatchObject({ status: 400, code: 'malformed_request', request_id: requestId })
  })

  test.each([
    ['without Host in HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n'],
    ['with an empty Host', 'GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n'],
    ['with a header that ends in -Host', 'GET / HTTP/1.1\r\nHost: x\r\nX-Host: y\r\nConnection: close\r\n\r\n'],
    ['with an unknown expectation', 'GET / HTTP/1.1\r\nHost: x\r\nExpect: wonders\r\nConnection: close\r\n\r\n'],
  ])('takes a request %s', async (_what, text) => {
    const { port } = await serve((_req, res) => res.end('taken'))
    expect(await raw(port, text)).toMatch(/^HTTP\/1\.1 200 OK[^]*taken/)
  })

  test('cuts a connection with an unfinished answer when what follows is no HTTP', async () => {
    const server = await serve(() => {})
    expect(await raw(server.port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\nHELLO\r\n\r\n').catch(String)).not.toContain('400')
  })

  test('answers 500 when a listener throws, and keeps serving', async () => {
    const { port } = await serve(() => {
      throw new Error('no')
    })
    for (let n = 0; n < 2; n += 1) expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(500)
  })

  test('a taken port is a fault with its address', async () => {
    const { port } = await serve(() => {})
    const second = serveHttp({ name: 'x', host: '127.0.0.1', port, listener: () => {}, log })
    await expect(second).rejects.toMatchObject({ code: 'listen_failed', message: expect.stringContaining(`${port}`) })
  })
})
