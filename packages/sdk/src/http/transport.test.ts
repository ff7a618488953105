import { getEventListeners, once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { DEADLINES, eventually, keepCollectingGarbage } from '@ariftly/testkit'
import { Ariftly, TimeoutError } from '../index.ts'

let server: Server
let answer: RequestListener
let openSockets = 0
let stopCollecting: () => void

beforeEach(async () => {
  openSockets = 0
  server = createServer((req, res) => answer(req, res))
  server.on('connection', (socket) => {
    openSockets += 1
    socket.on('close', () => (openSockets -= 1))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  stopCollecting = keepCollectingGarbage()
})

afterEach(async () => {
  stopCollecting()
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
})

const start = (options: object) =>
  new Ariftly({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, apiKey: 'key', ...options })

/** Answers with the head and the start of a body, and is silent then. */
const halfAnAnswer: RequestListener = (_, res) => {
  res.writeHead(200, { 'Content-Type': 'application/json' })
  res.write('{"object":')
}

test('an attempt whose body stops in the middle ends in time, with its connection, after a garbage collection too', async () => {
  answer = halfAnAnswer
  const call = start({ attemptTimeoutMs: 400, maxRetries: 0 }).events.get('evt_1')
  await expect(call).rejects.toBeInstanceOf(TimeoutError)
  await eventually('no open socket', () => openSockets === 0, { timeoutMs: DEADLINES.local })
})

test('the time of a whole call ends a body that stops in the middle', async () => {
  answer = halfAnAnswer
  await expect(start({ totalTimeoutMs: 400 }).events.get('evt_1')).rejects.toBeInstanceOf(TimeoutError)
})

test('a signal ends a body that stops in the middle', async () => {
  answer = halfAnAnswer
  const controller = new AbortController()
  const call = start({}).events.get('evt_1', {}, { signal: controller.signal })
  setTimeout(() => controller.abort(new Error('enough')), 400)
  await expect(call).rejects.toThrow('enough')
  await eventually('no open socket', () => openSockets === 0, { timeoutMs: DEADLINES.local })
})

test('a body in many pieces is read completely, with characters cut in two', async () => {
  const text = JSON.stringify({ id: 'évt_€😀'.repeat(50) })
  answer = (_, res) => {
    res.writeHead(200, { 'Content-Type': 'application/json' })
    const bytes = Buffer.from(text)
    for (let at = 0; at < bytes.length; at += 1) res.write(bytes.subarray(at, at + 1))
    res.end()
  }
  expect(await start({}).events.get('evt_1')).toEqual(JSON.parse(text))
})

test('calls that share a signal add one listener to it: Node warns of the eleventh', async () => {
  stopCollecting() // Nothing is cut here, and fifty calls with forced collections take long on a busy machine.
  answer = (_, res) => res.writeHead(200, { 'Content-Type': 'application/json' }).end('{}')
  const { signal } = new AbortController()
  const client = start({})
  const calls = Array.from({ length: 50 }, () => client.events.get('evt_1', {}, { signal }))
  const listeners = getEventListeners(signal, 'abort').length
  await Promise.all(calls)
  expect(listeners).toBe(1)
})
