import { connect } from 'node:net'
import { afterEach, describe, expect, test } from '@jest/globals'
import { createMetrics } from '@ariftly/runtime'
import { deferred } from '@ariftly/async'
import { collectGarbage, eventually, sampleCaller } from '@ariftly/testkit'
import { createExpressApp, type ApiHandler, type ExpressAppOptions } from './express-app.ts'
import { Problem } from '../answers/problem.ts'
import { sendJson } from '../answers/send-json.ts'
import { closeServers, json, log, serve } from '../server/test-server.ts'

afterEach(closeServers)

/** What is in use, garbage collected. */
function heapBytes(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}

describe('createExpressApp', () => {
  const caller = sampleCaller({ tenant: 'a' })

  async function app(options: Pick<ExpressAppOptions, 'routes' | 'open'>, scopes: string[] = []): Promise<string> {
    const auth: ExpressAppOptions['auth'] = {
      authenticate(authorization, scope) {
        scopes.push(scope)
        if (authorization !== 'Bearer good') throw new Problem(401, 'missing_api_key')
        return caller
      },
    }
    const express = createExpressApp({ log, metrics: createMetrics(), auth, jsonBytesMax: 100, ...options })
    return (await serve(express)).base
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

  test('lets a handler authenticate the call again: a key that was revoked meanwhile is refused', async () => {
    let isRevoked = false
    const asked: unknown[] = []
    const auth: ExpressAppOptions['auth'] = {
      authenticate(...of) {
        asked.push(of)
        if (isRevoked) throw new Problem(401, 'invalid_api_key')
        return caller
      },
    }
    const createWebhook: ApiHandler = async (call, _req, res) => {
      isRevoked = true
      await call.authenticateAgain()
      sendJson(res, 201, {})
    }
    const { base } = await serve(createExpressApp({ log, metrics: createMetrics(), auth, routes: { createWebhook } }))
    const answer = await fetch(`${base}/v1/webhooks`, { method: 'POST', headers: { authorization } })
    expect([answer.status, (await json(answer))['code']]).toEqual([401, 'invalid_api_key'])
    expect(asked).toEqual([
      [authorization, 'webhooks'],
      [authorization, 'webhooks'],
    ])
  })

  test('holds the bytes of a body, not its objects, until the handler takes it', async () => {
    const turn = deferred()
    let waiting = 0
    const createWebhook: ApiHandler = async (call, _req, res) => {
      waiting += 1
      await turn.promise
      sendJson(res, 201, { length: (call.body as readonly unknown[]).length })
    }
    const auth: ExpressAppOptions['auth'] = { authenticate: () => caller }
    const { base } = await serve(createExpressApp({ log, metrics: createMetrics(), auth, routes: { createWebhook } }))
    const length = 80_000
    const body = JSON.stringify(Array.from({ length }, () => ({})))
    const init = { method: 'POST', headers: { authorization, 'content-type': 'application/json' }, body }
    const before = heapBytes()
    const answers = Array.from({ length: 15 }, () => fetch(`${base}/v1/webhooks`, init).then(json))
    await eventually('all calls wait', () => waiting === answers.length)
    // Parsed, they are more than 60 MB.
    expect(heapBytes() - before).toBeLessThan(20_000_000)
    turn.resolve()
    expect(await Promise.all(answers)).toEqual(answers.map(() => ({ length })))
  })

  test('refuses a body when the other bodies of the tenant use its memory, and accepts it when they have ended', async () => {
    const auth: ExpressAppOptions['auth'] = {
      authenticate: (tenant) => ({ ...caller, tenant: tenant ?? '' }),
    }
    const bodyMemory = { bytesMax: 1000, tenantShare: 0.15 }
    const express = createExpressApp({ log, metrics: createMetrics(), auth, bodyMemory, routes: echo })
    const { base, port } = await serve(express)
    const post = async (tenant: string) => {
      const headers = { authorization: tenant, 'content-type': 'application/json' }
      return await fetch(`${base}/v1/webhooks`, { method: 'POST', headers, body: `"${'x'.repeat(98)}"` })
    }
    const unfinished = connect(port, '127.0.0.1')
    unfinished.write(
      'POST /v1/webhooks HTTP/1.1\r\nHost: x\r\nAuthorization: loud\r\nContent-Type: application/json\r\n' +
        `Content-Length: 101\r\n\r\n"${'x'.repeat(98)}`,
    )
    await eventually('the tenant has no memory left', async () => (await post('loud')).status === 503)
    expect((await post('calm')).status).toBe(201)
    unfinished.destroy()
    await eventually('the tenant is served again', async () => (await post('loud')).status === 201)
  })

  test('lets pages of allowed origins call it, and answers their preflight', async () => {
    const corsOrigins = ['https://app.example']
    const auth: ExpressAppOptions['auth'] = { authenticate: () => caller }
    const routes: ExpressAppOptions['routes'] = {
      ...echo,
      getEvent: (_call, _req, res) => void res.vary('Authorization').json({}),
    }
    const { base } = await serve(createExpressApp({ log, metrics: createMetrics(), auth, routes, corsOrigins }))
    const origin = 'https://app.example'
    const asks = { origin, 'access-control-request-method': 'POST' }
    const preflight = await fetch(`${base}/v1/webhooks`, { method: 'OPTIONS', headers: asks })
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, origin])
    expect(preflight.headers.get('access-control-allow-headers')).toMatch(/\bIdempotency-Key\b/)
    const answer = await fetch(`${base}/v1/events/x`, { headers: { origin, authorization } })
    expect(answer.headers.get('access-control-allow-origin')).toBe(origin)
    expect(answer.headers.get('vary')).toBe('Origin, Authorization')
    const stranger = await fetch(`${base}/v1/events/x`, { headers: { origin: 'https://evil.example', authorization } })
    expect(stranger.headers.has('access-control-allow-origin')).toBe(false)
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
