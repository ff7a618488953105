import { afterEach, describe, expect, test } from '@jest/globals'
import { request, type IncomingHttpHeaders, type RequestListener } from 'node:http'
import { createMetrics, Fault } from '@ariftly/runtime'
import { createRouter, createServiceRouter, type RouterOptions } from './create-router.ts'
import { Problem } from '../answers/problem.ts'
import { sendJson } from '../answers/send-json.ts'
import { closeServers, json, log, serve } from '../server/test-server.ts'

afterEach(closeServers)

async function router(handlers: RouterOptions['handlers'], corsOrigins: readonly string[] = []): Promise<string> {
  const listener = createRouter({ handlers, log, metrics: createMetrics(), corsOrigins })
  return (await serve(listener)).base
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
      title: 'Not found',
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
  test('routes one path to two services by method, and knows the methods of all', async () => {
    const services = {
      ingest: (_req, res) => void res.end('ingest'),
      api: (_req, res) => void res.end('api'),
      'stream-gateway': (req, res) => void res.end(`stream ${req.method}`),
    } satisfies Record<string, RequestListener>
    const { base } = await serve(createServiceRouter(services))
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
