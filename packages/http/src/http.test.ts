import { afterEach, describe, expect, test } from '@jest/globals'
import { request, type IncomingHttpHeaders, type RequestListener } from 'node:http'
import { connect } from 'node:net'
import { createLogger, createMetrics, Fault, type Running } from '@ariftly/runtime'
import { createRouter, createServiceRouter, type RouterOptions } from './create-router.ts'
import { createExpressApp, type ExpressAppOptions } from './express-app.ts'
import { Problem, sendProblem } from './problem.ts'
import { readBody } from './read-body.ts'
import { sendJson } from './send-json.ts'
import { serveHttp, type HttpServer } from './serve-http.ts'
import { serveService, type ServedService } from './serve-service.ts'

const log = createLogger({ service: 'test', level: 'silent' })
const closing: (() => Promise<void>)[] = []

afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()))
})

async function serve(listener: RequestListener): Promise<HttpServer> {
  const server = await serveHttp({ name: 'test', host: '127.0.0.1', port: 0, listener, log })
  closing.push(() => server.close(0))
  return server
}

async function router(handlers: RouterOptions['handlers'], corsOrigins: readonly string[] = []): Promise<string> {
  const listener = createRouter({ handlers, log, metrics: createMetrics(), corsOrigins })
  return `http://127.0.0.1:${(await serve(listener)).port}`
}

async function json(response: Response): Promise<Record<string, unknown>> {
  return (await response.json()) as Record<string, unknown>
}

/** Sends raw text and gives all that comes back until the server ends the connection. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(text)
  let answer = ''
  for await (const chunk of socket) answer += String(chunk)
  return answer
}

describe('createRouter', () => {
  test('hands a request to its handler with decoded parameters', async () => {
    const base = await router({ getEvent: (_req, res, { params }) => sendJson(res, 200, { id: params['id'] }) })
    expect(await json(await fetch(`${base}/v1/events/a%20b?x=1`))).toEqual({ id: 'a b' })
  })

  test('an unknown path is a 404 problem, a known one with another method 405 with Allow', async () => {
    const base = await router({ listEvents: (_req, res) => sendJson(res, 200, {}) })
    const absent = await fetch(`${base}/v1/nothing?token=secret`)
    expect([absent.status, absent.headers.get('content-type')]).toEqual([404, 'application/problem+json'])
    expect(await json(absent)).toMatchObject({
      status: 404,
      title: 'Not Found',
      code: 'not_found',
      instance: '/v1/nothing',
      request_id: absent.headers.get('x-request-id'),
    })
    const wrong = await fetch(`${base}/v1/events`, { method: 'DELETE' })
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  })

  test.each<[string, () => void | Promise<void>, number, string]>([
    [
      'a thrown problem',
      () => {
        throw new Problem(409, 'taken')
      },
      409,
      'taken',
    ],
    ['a rejected problem', () => Promise.reject(new Problem(422, 'bad')), 422, 'bad'],
    [
      'a fault that passes',
      () => Promise.reject(new Fault({ code: 'x', message: 'm', retryable: true })),
      503,
      'unavailable',
    ],
    ['anything else', () => Promise.reject(new Error('SELECT secret')), 500, 'internal_error'],
  ])('answers %s', async (_, fail, status, code) => {
    const base = await router({ listEvents: () => fail() })
    const response = await fetch(`${base}/v1/events`)
    const text = await response.text()
    expect([response.status, (JSON.parse(text) as { code: string }).code]).toEqual([status, code])
    expect(text).not.toContain('SELECT')
  })

  test('cuts the connection when a handler fails after its answer began', async () => {
    const base = await router({
      listEvents(_req, res) {
        res.write('half')
        throw new Error('no')
      },
    })
    await expect(fetch(`${base}/v1/events`).then((response) => response.text())).rejects.toThrow()
  })

  test('lets pages of allowed origins read answers and answers their preflight', async () => {
    const base = await router({ streamEvents: (_req, res) => void res.end('x') }, ['https://app.example'])
    const headers = { origin: 'https://app.example', 'access-control-request-method': 'GET' }
    const preflight = await fetch(`${base}/v1/events/stream`, { method: 'OPTIONS', headers })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-methods')).toBe('GET')
    const answer = await fetch(`${base}/v1/events/stream`, { headers: { origin: headers.origin } })
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.example')
    const stranger = await fetch(`${base}/v1/events/stream`, { headers: { origin: 'https://evil.example' } })
    expect(stranger.headers.has('access-control-allow-origin')).toBe(false)
  })
})

describe('createServiceRouter', () => {
  test('leads one path to two services by method, and knows what all of them have', async () => {
    const services = {
      ingest: (_req, res) => void res.end('ingest'),
      api: (_req, res) => void res.end('api'),
      'stream-gateway': (req, res) => void res.end(`stream ${req.method}`),
    } satisfies Record<string, RequestListener>
    const base = `http://127.0.0.1:${(await serve(createServiceRouter(services))).port}`
    const text = async (method: string, path: string, headers = {}) =>
      await (await fetch(`${base}${path}`, { method, headers })).text()
    expect(await text('POST', '/v1/events')).toBe('ingest')
    expect(await text('GET', '/v1/events')).toBe('api')
    expect(await text('GET', '/v1/events/stream')).toBe('stream GET')
    expect(await text('OPTIONS', '/v1/events/stream', { 'access-control-request-method': 'GET' })).toBe(
      'stream OPTIONS',
    )
    const wrong = await fetch(`${base}/v1/events`, { method: 'PUT' })
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST, GET, HEAD'])
    expect((await fetch(`${base}/v2`)).status).toBe(404)
  })
})

describe('the request context', () => {
  const echo = () =>
    router({ listEvents: (_req, res, { context }) => sendJson(res, 200, { traceparent: context.traceparent }) })

  test('keeps a sane request id and replaces any other', async () => {
    const base = await echo()
    const idFor = async (id: string) =>
      (await fetch(`${base}/v1/events`, { headers: { 'x-request-id': id } })).headers.get('x-request-id')
    expect(await idFor('my-request:1')).toBe('my-request:1')
    for (const bad of ['a b', 'x'.repeat(129), '<script>', '"']) expect(await idFor(bad)).toMatch(/^req_[0-9a-f]{32}$/)
  })

  test('keeps a valid traceparent and makes a new one otherwise', async () => {
    const base = await echo()
    const traceFor = async (traceparent: string) =>
      (await json(await fetch(`${base}/v1/events`, { headers: { traceparent } })))['traceparent']
    const good = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
    expect(await traceFor(good)).toBe(good)
    expect(await traceFor(good.replace('00-', '01-') + '-more')).toBe(good)
    const bad = [
      'x',
      good.toUpperCase(),
      good.replace('00-', 'ff-'),
      `${good}-more`,
      `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`,
    ]
    const fresh = await Promise.all(bad.map(traceFor))
    for (const traceparent of fresh) expect(traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
    expect(new Set(fresh).size).toBe(bad.length)
  })
})

describe('createExpressApp', () => {
  const caller = {
    keyId: 'key_1',
    tenant: 'a',
    scopes: [],
    quota: { eventsPerS: null, bytesPerS: null },
    expiresAtMs: null,
  }

  async function app(options: Pick<ExpressAppOptions, 'routes' | 'open'>, scopes: string[] = []): Promise<string> {
    const auth: ExpressAppOptions['auth'] = {
      authenticate(authorization, scope) {
        scopes.push(scope)
        if (authorization !== 'Bearer good') throw new Problem(401, 'missing_api_key')
        return caller
      },
    }
    const express = createExpressApp({ log, metrics: createMetrics(), auth, jsonBytesMax: 100, ...options })
    return `http://127.0.0.1:${(await serve(express)).port}`
  }

  const echo: ExpressAppOptions['routes'] = {
    createWebhook: ({ body, caller: { tenant } }, _req, res) => sendJson(res, 201, { body: body ?? null, tenant }),
    getWebhook: ({ params, url }, _req, res) => sendJson(res, 200, { params, url }),
  }
  const authorization = 'Bearer good'

  test("asks for the route's scope before it reads the body", async () => {
    const scopes: string[] = []
    const base = await app({ routes: echo }, scopes)
    expect((await fetch(`${base}/v1/webhooks`, { method: 'POST', body: 'no json' })).status).toBe(401)
    expect(scopes).toEqual(['webhooks'])
  })

  test('hands over parameters, the query and the parsed body', async () => {
    const base = await app({ routes: echo })
    const headers = { authorization, 'content-type': 'application/json; charset=utf-8' }
    const created = await fetch(`${base}/v1/webhooks`, { method: 'POST', headers, body: '{"a":1}' })
    expect([created.status, await json(created)]).toEqual([201, { body: { a: 1 }, tenant: 'a' }])
    const got = await json(await fetch(`${base}/v1/webhooks/a%2Fb?x=%20`, { headers }))
    expect(got).toEqual({ params: { id: 'a/b' }, url: '/v1/webhooks/a%2Fb?x=%20' })
  })

  test.each([
    ['{"a":', 'application/json', 400, 'malformed_json'],
    [Buffer.from([0x22, 0xff, 0x22]), 'application/json', 400, 'invalid_utf8'],
    ['{}', 'text/plain', 415, 'unsupported_media_type'],
    ['{}', 'application/json; charset=latin1', 415, 'unsupported_media_type'],
    [`"${'x'.repeat(100)}"`, 'application/json', 413, 'body_too_large'],
  ])('body %p as %s is %i %s', async (body, type, status, code) => {
    const base = await app({ routes: echo })
    const headers = { authorization, 'content-type': type }
    const response = await fetch(`${base}/v1/webhooks`, { method: 'POST', headers, body })
    expect([response.status, (await json(response))['code']]).toEqual([status, code])
  })

  test.each([
    ['GET', '/v1/webhooks/', 404],
    ['GET', '/V1/webhooks/x', 404],
    ['GET', '/v1/webhooks/%ff', 404],
    ['PUT', '/v1/webhooks/x', 405],
    ['GET', '/v1/webhooks', 405],
    ['HEAD', '/v1/webhooks/x', 200],
  ])('%s %s is %i', async (method, path, status) => {
    const base = await app({ routes: echo })
    expect((await fetch(`${base}${path}`, { method, headers: { authorization } })).status).toBe(status)
  })

  test('answers open routes without a key', async () => {
    const base = await app({ routes: {}, open: { getDocs: (_req, res) => void res.send('docs') } })
    expect(await (await fetch(`${base}/docs`)).text()).toBe('docs')
  })
})

describe('readBody', () => {
  const listener: RequestListener = (req, res) =>
    void readBody(req, 10).then(
      (body) => sendJson(res, 200, { bytes: body.length }),
      (error: Problem) => sendProblem(req, res, error),
    )

  test('a body too large is told 413 while it is being sent, and the connection stays usable', async () => {
    const { port } = await serve(listener)
    const big = 'x'.repeat(3_000_000)
    const chunked = `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${big.length.toString(16)}\r\n${big}\r\n0\r\n\r\n`
    const sized = `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${big.length}\r\n\r\n${big}`
    const small = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc'
    for (const large of [chunked, sized]) {
      expect(await raw(port, large + small)).toMatch(/^HTTP\/1.1 413 [^]*HTTP\/1.1 200 OK[^]*\{"bytes":3\}$/)
    }
  })

  test('a client that goes while sending ends the reading', async () => {
    let outcome: unknown
    const { port } = await serve((req) => void readBody(req, 1000).catch((error: unknown) => (outcome = error)))
    const socket = connect(port, '127.0.0.1')
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc', () =>
      setTimeout(() => socket.destroy(), 20),
    )
    while (outcome === undefined) await new Promise((resolve) => setTimeout(resolve, 5))
    expect(outcome).toMatchObject({ code: 'request_aborted' })
  })
})

describe('serveHttp', () => {
  test('closing ends idle connections at once and lets an answer under way end, with Connection: close', async () => {
    let answer = (): void => {}
    const { port, close } = await serve((req, res) => {
      if (req.url === '/slow') answer = () => void res.end('slow')
      else res.end('quick')
    })
    const idle = connect(port, '127.0.0.1')
    const idleClosed = new Promise((resolve) => idle.once('close', resolve))
    await new Promise((resolve) => idle.once('data', resolve).write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'))
    const slow = raw(port, 'GET /slow HTTP/1.1\r\nHost: x\r\n\r\n')
    await new Promise((resolve) => setTimeout(resolve, 50))
    const closed = close(60_000)
    await idleClosed
    answer()
    expect(await slow).toMatch(/Connection: close[^]*slow$/)
    await closed
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow()
  })

  test('closing ends a connection whose keep-alive answer had begun before', async () => {
    let end = (): void => {}
    const { port, close } = await serve((_req, res) => {
      res.write('begun ')
      end = () => void res.end('ended')
    })
    const answer = raw(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await new Promise((resolve) => setTimeout(resolve, 50))
    const closed = close(60_000)
    end()
    await closed
    expect(await answer).toMatch(/keep-alive[^]*begun[^]*ended/)
  })

  test('cuts what does not end within the grace', async () => {
    const { port, close } = await serve(() => {})
    const never = raw(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n').catch(() => 'reset')
    await new Promise((resolve) => setTimeout(resolve, 50))
    await close(50)
    expect(['', 'reset']).toContain(await never)
  })

  test('answers 500 when a listener throws, and goes on', async () => {
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

describe('serveService', () => {
  async function service(fields: Partial<Running>, metricsPort?: number): Promise<ServedService> {
    const running: Running = {
      name: 'test',
      router: (_req, res) => void res.end('routed'),
      ready: () => ({ ready: true, checks: { postgres: 'away since noon' } }),
      close: () => Promise.resolve(),
      ...fields,
    }
    const deps = { log, metrics: createMetrics(), signal: new AbortController().signal }
    const options = { host: '127.0.0.1', port: 0, metricsPort, drainMs: 2000 }
    const served = await serveService(running, options, deps)
    closing.push(() => served.close())
    return served
  }

  function get(port: number, path: string): Promise<Response> {
    return fetch(`http://127.0.0.1:${port}${path}`)
  }

  test('has the ops routes beside its own on one port, and a backend that is down is named with 200', async () => {
    const { port } = await service({ debug: { '/debug/streams': () => ({ open: 3 }) } })
    const ready = await get(port, '/readyz')
    expect([ready.status, await json(ready)]).toEqual([
      200,
      { status: 'ready', checks: { postgres: 'away since noon' } },
    ])
    expect((await get(port, '/livez')).status).toBe(200)
    expect(await json(await get(port, '/debug/streams'))).toEqual({ open: 3 })
    expect((await get(port, '/metrics')).headers.get('content-type')).toMatch(/^text\/plain/)
    expect(await (await get(port, '/v1/events')).text()).toBe('routed')
    const posted = await fetch(`http://127.0.0.1:${port}/readyz`, { method: 'POST' })
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  })

  test('with METRICS_PORT the ops routes are there and not on the public port', async () => {
    const { port, metricsPort } = await service({}, 0)
    expect(metricsPort).not.toBe(port)
    expect((await get(metricsPort, '/readyz')).status).toBe(200)
    expect((await get(metricsPort, '/v1/events')).status).toBe(404)
    expect(await (await get(port, '/readyz')).text()).toBe('routed')
  })

  test('is 503 while it is not ready, and while it drains', async () => {
    let ready = false
    let drained = (): void => {}
    const served = await service({
      ready: () => ({ ready, checks: {} }),
      drain: () => new Promise<void>((resolve) => (drained = resolve)),
    })
    expect((await get(served.port, '/readyz')).status).toBe(503)
    ready = true
    expect((await get(served.port, '/readyz')).status).toBe(200)
    const draining = served.drain?.()
    const answer = await get(served.port, '/readyz')
    expect([answer.status, await json(answer)]).toEqual([503, { status: 'not_ready', checks: { process: 'draining' } }])
    drained()
    await draining
    await expect(get(served.port, '/readyz')).rejects.toThrow()
  })
})

test('an answer to HEAD has no body but its headers', async () => {
  const base = await router({ listEvents: (_req, res) => sendJson(res, 200, { a: 1 }) })
  const headers = await new Promise<IncomingHttpHeaders>((resolve, reject) => {
    request(`${base}/v1/events`, { method: 'HEAD' }, (response) => {
      response.resume()
      resolve(response.headers)
    })
      .on('error', reject)
      .end()
  })
  expect(headers['content-length']).toBe('7')
})
