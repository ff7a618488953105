import { afterEach, describe, expect, test } from '@jest/globals'
import type { RequestListener } from 'node:http'
import { connect, type Socket } from 'node:net'
import { serveHttp } from './serve-http.ts'
import { closeServers, defer, log, raw, serve } from './test-server.ts'

afterEach(closeServers)

/** More than the system takes for a client. */
const ANSWER = 'a'.repeat(16_000_000)

/** A client that asks and reads nothing until it resumes; what came then. */
async function askUnread(port: number): Promise<{ readonly socket: Socket; readonly read: () => Promise<number> }> {
  const socket = connect(port, '127.0.0.1').pause()
  socket.on('error', () => {})
  socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  await new Promise((resolve) => socket.once('readable', resolve))
  async function read(): Promise<number> {
    let bytes = 0
    for await (const chunk of socket) bytes += (chunk as Buffer).length
    return bytes
  }
  return { socket, read }
}

describe('serveHttp', () => {
  test('closing ends idle connections at once and lets an answer under way end, with Connection: close', async () => {
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

    test('cuts one that takes nothing for too long, and not one that reads', async () => {
      const listener: RequestListener = (_req, res) => void res.end(ANSWER)
      const { port } = await serve(listener, { unread: { bytesMax: 1e9, timeoutMs: 300 } })
      const [idle, reading] = [await askUnread(port), await askUnread(port)]
      expect(await reading.read()).toBeGreaterThan(ANSWER.length)
      await new Promise((resolve) => setTimeout(resolve, 1500))
      expect(await idle.read().catch(() => 0)).toBeLessThan(ANSWER.length)
    })
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
