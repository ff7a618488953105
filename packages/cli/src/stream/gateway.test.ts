import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { eventually, startReceiver, type Receiver } from '@ariftly/testkit'
import { newHome, run } from '../test-run.ts'

let server: Server
let target: Receiver
/** The answers of a gateway, one after the other, before and while the API is behind it. */
let answers: readonly RequestListener[]
let requests: (string | undefined)[]

const gone =
  (status: number): RequestListener =>
  (_, res) =>
    res.writeHead(status, { 'Content-Type': 'text/plain' }).end('404 page not found\n')
const maintenance: RequestListener = (_, res) => res.writeHead(200, { 'Content-Type': 'text/html' }).end('<h1>Soon')
const json =
  (body: object): RequestListener =>
  (_, res) =>
    res.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
/** A stream with one event, which ends. */
const stream =
  (n: number): RequestListener =>
  (_, res) => {
    const event = JSON.stringify({ id: `evt_${n}`, type: 'task.progress', task_id: 't', data: { n } })
    const frames = `retry: 5\n\nevent: task.progress\ndata: ${event}\nid: p${n}\n\n`
    res.writeHead(200, { 'Content-Type': 'text/event-stream' }).end(frames)
  }

beforeEach(async () => {
  requests = []
  target = await startReceiver()
  server = createServer((req, res) => {
    requests.push(req.url)
    answers[requests.length - 1]?.(req, res)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})

afterEach(async () => {
  server.closeAllConnections()
  server.close()
  await target.close()
})

const env = () => ({
  HOME: newHome(),
  ARIFTLY_API_KEY: 'k',
  ARIFTLY_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
})
const away = [gone(404), maintenance]

test('events tail goes on after a gateway has answered for the API, before the stream and in it', async () => {
  const types = json({ object: 'list', data: [{ type: 'task.progress' }, { type: 'task.failed' }], has_more: false })
  answers = [gone(404), types, gone(405), stream(1), ...away, stream(2)]
  const stop = new AbortController()
  const ended = run(['events', 'tail', '--type', 'task.*', '--json'], { env: env(), signal: stop.signal })
  await eventually('the stream waits after the second event', () => requests.length >= 8)
  stop.abort(new Error('Cancelled by SIGINT.'))
  const { code, out } = await ended
  expect(
    out
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { id: string }).id),
  ).toEqual(['evt_1', 'evt_2'])
  expect(code).toBe(2)
})

test('listen goes on after a gateway has answered for the API, before the stream and in it', async () => {
  answers = [gone(404), json({ tenant: 'acme', scopes: [] }), gone(405), stream(1), ...away, stream(2)]
  const stop = new AbortController()
  const argv = ['listen', '--forward-to', `http://127.0.0.1:${target.port}/`]
  const ended = run(argv, { env: env(), signal: stop.signal })
  await target.received(2)
  stop.abort(new Error('Cancelled by SIGINT.'))
  expect((await ended).code).toBe(2)
  expect(target.requests.map(({ headers }) => headers['webhook-id'])).toEqual(['evt_1', 'evt_2'])
})

test('a page in place of the API ends it at first, as it shows a wrong address', async () => {
  answers = [maintenance]
  const { code, err } = await run(['events', 'tail', '--type', 'task.*'], { env: env() })
  expect(code).toBe(1)
  expect(err).toContain('protocol_error')
  expect(requests).toHaveLength(1)
})
