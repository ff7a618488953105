import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { typeIdToUuid } from '@ariftly/events'
import { eventually, startReceiver, type Receiver, type ServiceProcess } from '@ariftly/testkit'
import { createWorkerWorld, type WorkerWorld } from './worker-world.ts'

const TIMEOUT_MS = 3000
const RSS_KB_MAX = 20 * 1024
const BOMB = gzipSync(Buffer.alloc(20 * 1024 * 1024))
const HEAD = 'HTTP/1.1 200 OK\r\n'
/** These receivers answer once a connection. */
const BOMB_HEAD = `connection: close\r\ncontent-encoding: gzip\r\ncontent-length: ${BOMB.length}`

interface Hostile {
  readonly answer: (socket: Socket) => void
  readonly errorClass: string | null
  readonly scheme?: 'https'
}

const HOSTILE: Readonly<Record<string, Hostile>> = {
  'accepts and says nothing': { answer: () => undefined, errorClass: 'timeout' },
  'sends one byte at a time': { answer: (socket) => drip(socket, `${HEAD}content-length: 9`), errorClass: 'timeout' },
  'sends headers slowly, without end': {
    answer: (socket) => dripAfter(socket, HEAD, 'x: y\r\n'),
    errorClass: 'timeout',
  },
  'sends headers fast, without end': {
    answer: (socket) => flood(socket, HEAD, `x: ${'y'.repeat(1000)}\r\n`),
    errorClass: 'connection_reset',
  },
  'sends a body without end': {
    answer: (socket) => flood(socket, `${HEAD}\r\n`, 'z'.repeat(65_536)),
    errorClass: null,
  },
  'sends a gzip bomb': {
    answer: (socket) => socket.write(Buffer.concat([Buffer.from(`${HEAD}${BOMB_HEAD}\r\n\r\n`), BOMB])),
    errorClass: null,
  },
  'resets in the middle of its answer': {
    answer: (socket) => void socket.write(`${HEAD}content-length: 50\r\n\r\nab`, () => socket.resetAndDestroy()),
    errorClass: 'connection_reset',
  },
  'closes its half and waits': {
    answer: (socket) => void socket.write(`${HEAD}content-length: 5\r\n\r\nab`),
    errorClass: 'timeout',
  },
  'closes without an answer': { answer: (socket) => void socket.end(), errorClass: 'connection_reset' },
  redirects: {
    answer: (socket) =>
      void socket.end('HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n'),
    errorClass: 'http_3xx',
  },
  'does not speak TLS': {
    answer: (socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    errorClass: 'tls_error',
    scheme: 'https',
  },
}

let fixture: WorkerWorld
let worker: ServiceProcess
let healthy: Receiver
const servers: { readonly server: Server; readonly sockets: Set<Socket> }[] = []

beforeAll(async () => {
  fixture = await createWorkerWorld({
    WEBHOOK_TIMEOUT_MS: String(TIMEOUT_MS),
    WEBHOOK_RETRY_SCHEDULE_S: '600',
  })
  worker = await fixture.startProcess()
  healthy = await startReceiver()
})
afterAll(async () => {
  await fixture?.close()
  await healthy?.close()
  for (const { server, sockets } of servers) {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
})

test('hostile receivers end in time, under the right class, cost little memory and delay no other webhook', async () => {
  const good = await fixture.subscribe({ tenant: 'hostile', url: healthy.url })
  await fixture.post('hostile', 400) // The worker has its size for ordinary work now.
  await fixture.reaches(good, { delivered: 400 })
  const peakBefore = peakRssKb()

  const webhooks = new Map<string, string>()
  for (const [name, { answer, scheme = 'http' }] of Object.entries(HOSTILE)) {
    const url = `${scheme}://127.0.0.1:${await listen(answer)}/`
    webhooks.set(name, await fixture.subscribe({ tenant: 'hostile', url }))
  }
  const postedAt = Date.now()
  const events = new Set((await fixture.post('hostile', 5)).map(({ id }) => id))
  const all = 5 * webhooks.size
  await eventually('all attempts are made', async () => (await attempts([...webhooks.values()])).length === all)

  for (const [name, { errorClass }] of Object.entries(HOSTILE)) {
    const made = await attempts([webhooks.get(name) ?? ''])
    expect([name, made.map((attempt) => attempt.error_class)]).toEqual([name, Array(5).fill(errorClass)])
    expect(Math.max(...made.map(({ total_ms }) => total_ms))).toBeLessThanOrEqual(2 * TIMEOUT_MS)
  }
  expect(peakRssKb() - peakBefore).toBeLessThanOrEqual(RSS_KB_MAX)
  const arrived = healthy.requests.filter(({ headers }) => events.has(String(headers['webhook-id'])))
  expect(arrived).toHaveLength(5)
  // Others hang until the timeout: a healthy one that waited for them would be later than that.
  expect(Math.max(...arrived.map(({ atMs }) => atMs)) - postedAt).toBeLessThan(5 * TIMEOUT_MS)
}, 240_000)

async function attempts(webhooks: readonly string[]) {
  const { rows } = await fixture.world.admin.query<{ error_class: string | null; total_ms: number }>(
    'SELECT error_class, total_ms FROM attempts WHERE webhook_id = ANY ($1::uuid[])',
    [webhooks.map((id) => typeIdToUuid('whk', id))],
  )
  return rows
}

/** The most memory that the worker has ever had, by the kernel's account. */
function peakRssKb(): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${worker.pid}/status`, 'utf8'))?.[1])
}

async function listen(answer: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('data', () => answer(socket))
  })
  servers.push({ server, sockets })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** A byte at a time, so slowly that the text is not through when the attempt has to end. */
function drip(socket: Socket, text: string): void {
  let at = 0
  const timer = setInterval(() => socket.write(text[at++] ?? ''), (2 * TIMEOUT_MS) / text.length)
  socket.once('close', () => clearInterval(timer))
}

function dripAfter(socket: Socket, first: string, then: string): void {
  socket.write(first)
  const timer = setInterval(() => socket.write(then), 50)
  socket.once('close', () => clearInterval(timer))
}

/** As fast as it is read, up to a gigabyte. */
function flood(socket: Socket, first: string, then: string): void {
  let left = 1024 ** 3
  socket.write(first)
  function push(): void {
    while (!socket.destroyed && left > 0 && socket.write(then)) left -= then.length
  }
  socket.on('drain', push)
  push()
}
