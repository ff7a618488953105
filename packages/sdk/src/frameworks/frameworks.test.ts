import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from '@jest/globals'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import type { Delivered } from '../webhooks/index.ts'
import { sign } from '../webhooks/index.ts'
import { webhookHandler as expressHandler } from './express.ts'
import { webhookPlugin } from './fastify.ts'
import { webhookHandler as honoHandler } from './hono.ts'
import { webhookRoute } from './next.ts'
import type { HandleDelivery } from './receive.ts'

const PATH = '/ariftly-webhook'
const options = { secrets: 'a-signing-secret' }
const body = '{"object":"event","id":"evt_1","type":"session.closed","data":{"session_id":"s","n":1.0}}'

/** Posts to a receiver and answers with the status. */
type Post = (body: string, headers: Record<string, string>) => Promise<number>

const releases: (() => unknown)[] = []
afterEach(async () => {
  for (const release of releases.splice(0)) await release()
})

async function listen(server: Server): Promise<Post> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  releases.push(() => server.close())
  return postTo(server)
}

function postTo(server: Server): Post {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${PATH}`
  return async (text, headers) => (await fetch(url, { method: 'POST', body: text, headers })).status
}

const RECEIVERS: Readonly<Record<string, (handle: HandleDelivery) => Promise<Post>>> = {
  express: async (handle) => await listen(createServer(express().post(PATH, expressHandler(options, handle)))),
  'express behind express.raw()': async (handle) => {
    const app = express().use(express.raw({ type: 'application/json' }))
    return await listen(createServer(app.post(PATH, expressHandler(options, handle))))
  },
  fastify: async (handle) => {
    const app = fastify()
    await app.register(webhookPlugin(PATH, options, handle))
    releases.push(() => app.close())
    await app.listen({ host: '127.0.0.1', port: 0 })
    return postTo(app.server)
  },
  hono: async (handle) => {
    const app = new Hono().post(PATH, honoHandler(options, handle))
    return async (text, headers) => (await app.request(PATH, { method: 'POST', body: text, headers })).status
  },
  'a route of Next': async (handle) => {
    const route = webhookRoute(options, handle)
    return async (text, headers) =>
      (await route(new Request(`http://localhost${PATH}`, { method: 'POST', body: text, headers }))).status
  },
}

describe.each(Object.entries(RECEIVERS))('%s', (_, start) => {
  test('hands over signed deliveries, refuses others, and fails with the handler', async () => {
    const handled: Delivered[] = []
    const post = await start((delivered) => {
      handled.push(delivered)
    })
    const headers = await sign({ body, ...options })
    expect(await post(body, headers)).toBe(204)
    expect(handled).toMatchObject([
      { id: 'evt_1', rawData: '{"session_id":"s","n":1.0}', event: { type: 'session.closed' } },
    ])
    expect(await post(`${body} `, headers)).toBe(401)
    expect(await post(body, { 'content-type': 'application/json' })).toBe(401)
    expect(handled).toHaveLength(1)
  })
})

test('a receiver takes a delivery without webhook-* headers with allowUntimed alone', async () => {
  const { 'x-ariftly-signature': signature } = await sign({ body, ...options })
  const post = async (more: object) => {
    const headers = { 'x-ariftly-signature': signature ?? '' }
    const request = new Request(`http://localhost${PATH}`, { method: 'POST', body, headers })
    return (await webhookRoute({ ...options, ...more }, () => undefined)(request)).status
  }
  expect(await post({})).toBe(401)
  expect(await post({ allowUntimed: true })).toBe(204)
})

test.each(['express', 'fastify'])(
  '%s answers 500 when the handler fails, so that the delivery is retried',
  async (name) => {
    const post = await RECEIVERS[name]?.(() => {
      throw new Error('the database is down')
    })
    expect(await post?.(body, await sign({ body, ...options }))).toBe(500)
  },
)

test('after express.json() the error names the cause', async () => {
  const errors: unknown[] = []
  const app = express()
    .use(express.json())
    .post(
      PATH,
      expressHandler(options, () => undefined),
    )
  app.use(((error, _req, res, _next) => {
    errors.push(error)
    res.status(500).send('')
  }) as express.ErrorRequestHandler)
  const post = await listen(createServer(app))
  expect(await post(body, await sign({ body, ...options }))).toBe(500)
  expect(String(errors[0])).toContain('express.json()')
})
