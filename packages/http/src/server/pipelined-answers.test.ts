import { afterEach, describe, expect, test } from '@jest/globals'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { sleep } from '@ariftly/async'
import { ByteBudget } from '@ariftly/fairness'
import { eventually } from '@ariftly/testkit'
import { readBody } from '../input/read-body.ts'
import { PipelinedAnswers } from './pipelined-answers.ts'
import { closeServers, defer, raw, serve } from './test-server.ts'

afterEach(closeServers)

/** More than the system takes for a client. */
const LARGE = 'a'.repeat(16_000_000)

/** Requests that a client sends together. */
const ahead = (paths: readonly string[]) => paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`).join('')
const numbered = (count: number) => Array.from({ length: count }, (_, at) => `/${at}`)

/** A client, and all that it has read. */
function open(port: number): { readonly socket: Socket; readonly text: () => string } {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.on('error', () => {}).on('data', (chunk) => (text += String(chunk)))
  return { socket, text: () => text }
}

/** The paths that a client has answers to, in order. */
const answered = (text: string) => [...text.matchAll(/<(.*?)>/g)].map(([, path]) => path)

describe('requests that were sent ahead of their answers', () => {
  test('are answered in order, one after the other, up to sixteen of them', async () => {
    let [running, most] = [0, 0]
    const { port } = await serve((req, res) => {
      running += 1
      most = Math.max(most, running)
      res.once('finish', () => (running -= 1))
      // Some are answered at once, and some later.
      if (req.url?.endsWith('3') === true) void setImmediate().then(() => res.end(`<${req.url}>`))
      else res.end(`<${req.url}>`)
    })
    const { socket, text } = open(port)
    socket.write(ahead(numbered(16)))
    await eventually('16 answers', () => answered(text()).length === 16)
    expect([answered(text()), most]).toEqual([numbered(16), 1])
    socket.destroy()
  })

  test('are not handled beyond the first when there are more: the connection is cut', async () => {
    let handled = 0
    const { port } = await serve(() => void (handled += 1))
    const { socket } = open(port)
    socket.write(ahead(numbered(1000)))
    await once(socket, 'close')
    expect(handled).toBe(1)
  })

  test('hold no more than the budget of unread answers', async () => {
    const bytesMax = 40_000_000
    const answers: ServerResponse[] = []
    const { port } = await serve(
      (_req, res) => {
        answers.push(res)
        res.end(LARGE)
      },
      { unread: { bytesMax, timeoutMs: 60_000 } },
    )
    const clients: Socket[] = []
    for (let client = 0; client < 4; client += 1) {
      const socket = connect(port, '127.0.0.1').pause()
      socket.on('error', () => {}).write(ahead(numbered(16)))
      await once(socket, 'readable')
      clients.push(socket)
    }
    const held = answers.filter(({ destroyed }) => !destroyed).map((res) => res.writableLength)
    expect(held.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThanOrEqual(bytesMax)
    expect(answers).toHaveLength(4)
    for (const socket of clients) socket.destroy()
  })

  test('are answered whole and in order to a client that reads late, and is slow', async () => {
    const { port } = await serve((req, res) => void res.end(`<${req.url}>${LARGE.slice(0, 1_000_000)}`))
    const socket = connect(port, '127.0.0.1').pause()
    socket.write(ahead(numbered(16)))
    await once(socket, 'readable')
    let text = ''
    for await (const chunk of socket) {
      text += String(chunk)
      await setImmediate()
      if (text.length > 16_000_000 && text.length - text.lastIndexOf('<') > 1_000_000) break
    }
    expect(answered(text)).toEqual(numbered(16))
    expect(text.match(/a{1000000}/g)).toHaveLength(16)
  })

  test('are never handled when the client disconnects before', async () => {
    const handled: (string | undefined)[] = []
    const closed = defer()
    const { port } = await serve((req, res) => {
      handled.push(req.url)
      if (req.url === '/after') res.end()
      else res.once('close', () => closed.resolve())
    })
    const { socket } = open(port)
    socket.write(ahead(numbered(3)))
    await eventually('the first request', () => handled.length === 1)
    socket.destroy()
    await closed.promise
    await fetch(`http://127.0.0.1:${port}/after`)
    expect(handled).toEqual(['/0', '/after'])
  })

  test('are never handled behind an answer that closes the connection', async () => {
    const handled: (string | undefined)[] = []
    const { port } = await serve((req, res) => {
      handled.push(req.url)
      res.setHeader('Connection', 'close').end(`<${req.url}>`)
    })
    expect(answered(await raw(port, ahead(numbered(3))))).toEqual(['/0'])
    expect(handled).toEqual(['/0'])
  })

  test('are handled with the bodies that they have waited with', async () => {
    const first = defer<ServerResponse>()
    const { port } = await serve((req: IncomingMessage, res) => {
      if (req.method === 'GET') return first.resolve(res)
      void readBody(req, 100_000).then((body) => res.end(`<${body.subarray(0, 4).toString()} ${body.length}>`))
    })
    const { socket, text } = open(port)
    const bodies = Array.from({ length: 12 }, (_, at) => String(1000 + at).padEnd(at % 3 === 0 ? 90_000 : 15_000, '.'))
    const posts = bodies.map((body) => `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
    socket.write(ahead(['/']) + posts.join(''))
    const res = await first.promise
    await eventually('bytes wait', () => res.socket !== null && res.socket.bytesRead > 60_000)
    res.end('<first>')
    await eventually('13 answers', () => answered(text()).length === 13)
    expect(answered(text())).toEqual(['first', ...bodies.map((body) => `${body.slice(0, 4)} ${body.length}`)])
    socket.destroy()
  })

  test('count while they wait, and are cut with their connection when there is no room', async () => {
    const budget = new ByteBudget({ bytesMax: 200_000 })
    const answers: ServerResponse[] = []
    const pipelined = new PipelinedAnswers((_req, res) => void answers.push(res), budget)
    const server = createServer((req, res) => pipelined.add(req, res)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    // 15 that wait count some 62 KB of each client.
    const clients = Array.from({ length: 4 }, () => open(port))
    const cut = Promise.race(clients.map(({ socket }) => once(socket, 'close')))
    for (const { socket } of clients) socket.write(ahead(numbered(16)))
    await cut
    await eventually('a request of each', () => answers.length === 4)
    expect(answers.filter(({ destroyed }) => destroyed)).toHaveLength(1)
    const before = budget.bytes
    expect(before).toBeLessThanOrEqual(200_000)
    answers.find(({ destroyed }) => !destroyed)?.end()
    await eventually('the next request of one', () => answers.length === 5)
    expect(budget.bytes).toBeLessThan(before)
    for (const { socket } of clients) socket.destroy()
    await eventually('nothing is held', () => budget.tenants === 0)
    expect(budget.bytes).toBe(0)
    await new Promise((resolve) => server.close(resolve))
  })

  test('have the time that they need behind an answer that was read late', async () => {
    const timeoutMs = 200
    const { port } = await serve(
      (req, res) => {
        if (req.url === '/0') res.end(LARGE)
        else void sleep(3 * timeoutMs).then(() => res.setHeader('Connection', 'close').end('<slow>'))
      },
      { unread: { bytesMax: 1e9, timeoutMs } },
    )
    expect(answered(await raw(port, ahead(numbered(2))))).toEqual(['slow'])
  })

  test('are left out at the end of the server, unless the answer before had begun as one that keeps the connection', async () => {
    const [begun, arrived, mayEnd] = [defer(), defer(), defer()]
    const handled: (string | undefined)[] = []
    const server = await serve((req, res) => {
      handled.push(req.url)
      if (req.url === '/begun') {
        res.write('<begun>')
        begun.resolve()
      } else arrived.resolve()
      void mayEnd.promise.then(() => res.end(req.url === '/begun' ? '' : `<${req.url}>`))
    })
    const [one, other] = [raw(server.port, ahead(['/begun', '/next', '/last'])), raw(server.port, ahead(numbered(2)))]
    await Promise.all([begun.promise, arrived.promise])
    const closed = server.close(60_000)
    mayEnd.resolve()
    expect([answered(await one), answered(await other)]).toEqual([['begun', '/next'], ['/0']])
    await closed
    expect(handled).toHaveLength(3)
    expect(new Set(handled)).toEqual(new Set(['/0', '/begun', '/next']))
  })
})
