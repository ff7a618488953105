import { once } from 'node:events'
import { Agent, createServer, request, type IncomingMessage, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { sendError } from '@ariftly/http'
import { readContent } from './content.ts'
import { eventually } from '@ariftly/testkit'
import { MemoryBudget, REQUEST_BYTES, type MemoryLease } from '../admission/memory-budget.ts'
import { createBodyReader, discardRest, type BodyReader } from './request-body.ts'

const BYTES_MAX = 100_000
const budget = new MemoryBudget(1_000_000)

function openLease(): MemoryLease {
  const lease = budget.open('acme')
  if (lease === undefined) throw new Error('There is no room.')
  return lease
}
const silent = { error() {} }
let server: Server
let reader: BodyReader
let port: number

beforeEach(async () => {
  reader = createBodyReader({ bytesMax: BYTES_MAX, timeoutMs: 30_000 })
  server = createServer((req, res) => {
    const lease = openLease()
    const answer = async () => {
      const body = await reader.read(req, readContent(req.headers).encoding, lease)
      res.end(`${body.length}`)
    }
    void answer()
      .catch((error: unknown) => sendError(req, res, error, silent))
      .finally(() => {
        lease.release()
        discardRest(req)
      })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
})

afterEach(async () => {
  reader.close()
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
  expect(budget.usedBytes).toBe(0)
})

async function post(body: Buffer, headers: Record<string, string> = {}, agent?: Agent) {
  const all = { 'content-type': 'application/json', ...headers }
  const req = request({ port, host: '127.0.0.1', method: 'POST', headers: all, ...(agent ? { agent } : {}) })
  req.end(body)
  const [res] = (await once(req, 'response')) as [import('node:http').IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of res) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString()
  return { status: res.statusCode, text, reused: req.reusedSocket }
}

describe('a body', () => {
  const text = Buffer.from('x'.repeat(BYTES_MAX))
  test.each([
    ['identity', text],
    ['gzip', gzipSync(text)],
    ['x-gzip', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['deflate', deflateRawSync(text)],
    ['br', brotliCompressSync(text)],
  ])('packed as %s is unpacked', async (encoding, body) => {
    expect(await post(body, { 'content-encoding': encoding })).toMatchObject({ status: 200, text: String(BYTES_MAX) })
  })

  test('that is compressed uses about the memory that it needs, so that many small ones of a tenant are accepted at once', async () => {
    const wide = createBodyReader({ bytesMax: 5_000_000, timeoutMs: 1000 })
    const lease = openLease()
    const packed = gzipSync(Buffer.from(`[${'{"type":"task.progress"},'.repeat(40)}1]`))
    const req = Object.assign(Readable.from([packed]), { headers: { 'content-length': `${packed.length}` } })
    try {
      expect((await wide.read(req as unknown as IncomingMessage, 'gzip', lease)).length).toBe(1003)
      expect(budget.usedBytes).toBeLessThan(80_000)
    } finally {
      lease.release()
      wide.close()
    }
  })

  test('that unpacks to much more than is likely takes nothing once its lease is released', async () => {
    const wide = createBodyReader({ bytesMax: 400_000, timeoutMs: 1000 })
    const lease = openLease()
    const packed = gzipSync(Buffer.alloc(300_000))
    const req = Object.assign(Readable.from([packed]), { headers: { 'content-length': `${packed.length}` } })
    const take = lease.take.bind(lease)
    lease.take = (bytes) => {
      const isTaken = take(bytes)
      // The likely bytes are taken: unpacking begins.
      if (bytes > packed.length) lease.release()
      return isTaken
    }
    try {
      const body = wide.read(req as unknown as IncomingMessage, 'gzip', lease)
      await expect(body).rejects.toMatchObject({ code: 'overloaded' })
      expect(budget.usedBytes).toBe(0)
    } finally {
      wide.close()
    }
  })

  const bomb = Buffer.alloc(50_000_000)
  test.each([
    ['gzip', gzipSync(bomb)],
    ['deflate', deflateSync(bomb)],
    ['br', brotliCompressSync(bomb, { params: {} })],
  ])('that is a bomb of %s is 413, and unpacked no further than the limit', async (encoding, body) => {
    expect((await post(body, { 'content-encoding': encoding })).status).toBe(413)
  })

  test.each(['gzip', 'deflate', 'br'])('that is not %s is 400', async (encoding) => {
    expect((await post(Buffer.from('no such thing'), { 'content-encoding': encoding })).status).toBe(400)
    expect((await post(gzipSync(text).subarray(0, 50), { 'content-encoding': encoding })).status).toBe(400)
  })

  test.each([{ 'content-length': '3000000' }, { 'transfer-encoding': 'chunked' }])(
    'that is too large (%j) gets its 413, and its connection is used again',
    async (headers) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      try {
        expect((await post(Buffer.alloc(3_000_000), headers, agent)).status).toBe(413)
        expect(await post(Buffer.from('[]'), {}, agent)).toEqual({ status: 200, text: '2', reused: true })
      } finally {
        agent.destroy()
      }
    },
  )

  test('that trickles is answered 408 and its connection is ended', async () => {
    reader.close()
    reader = createBodyReader({ bytesMax: BYTES_MAX, timeoutMs: 200 })
    const socket = connect(port, '127.0.0.1')
    socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n')
    const trickle = setInterval(() => socket.write('x'), 20)
    socket.on('error', () => {})
    let answer = ''
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()))
    await once(socket, 'close')
    clearInterval(trickle)
    expect(answer).toMatch(/^HTTP\/1\.1 408 /)
    expect(answer).toMatch(/connection: close/i)
  })

  test('that never arrives uses no memory after its client has disconnected', async () => {
    const socket = connect(port, '127.0.0.1')
    socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\nxx')
    await eventually('the bytes are counted', () => budget.usedBytes === REQUEST_BYTES + 2)
    socket.destroy()
    await eventually('the bytes are given back', () => budget.usedBytes === 0)
  })

  test('for which there is no memory is 503 with Retry-After', async () => {
    const lease = openLease()
    expect(lease.take(500_000 - 2 * REQUEST_BYTES - 10)).toBe(true)
    expect((await post(Buffer.alloc(11))).status).toBe(503)
    expect((await post(Buffer.alloc(11), { 'transfer-encoding': 'chunked' })).status).toBe(503)
    expect((await post(Buffer.alloc(10))).status).toBe(200)
    lease.release()
  })
})

test('the body of a request that was cut before it had a listener fails immediately', async () => {
  const cut = createServer()
  cut.listen(0, '127.0.0.1')
  await once(cut, 'listening')
  try {
    const arrived = once(cut, 'request') as Promise<[IncomingMessage]>
    const socket = connect((cut.address() as AddressInfo).port, '127.0.0.1')
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf')
    const [req] = await arrived
    const closed = new Promise((resolve) => req.once('close', resolve))
    socket.destroy()
    await closed
    const lease = openLease()
    await expect(reader.read(req, 'identity', lease)).rejects.toMatchObject({ code: 'request_aborted' })
    lease.release()
  } finally {
    cut.close()
  }
})
