import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

/**
 * What a proxy does to posts. `resetBefore` cuts a request in the middle of its body, `resetAfter` forwards it and cuts the answer,
 * so that the client cannot know that it took effect; `silent` takes requests and never answers, `halfAnswer` forwards them and
 * stops in the middle of the answer.
 */
export type Breakage = 'none' | 'unavailable' | 'tooMany' | 'resetBefore' | 'resetAfter' | 'silent' | 'halfAnswer'

/** A bad way to one server. */
export interface BreakingProxy {
  readonly url: string
  /** Requests that were broken, by kind. */
  readonly broken: Readonly<Record<string, number>>
  break(how: Breakage): void
  close(): Promise<void>
}

/** Starts it on 127.0.0.1, in front of a server on this machine. */
export async function startBreakingProxy(target: string): Promise<BreakingProxy> {
  const broken: Record<string, number> = {}
  let mode: Breakage = 'none'

  const server = createServer((req, res) => {
    if (mode === 'none') void pass(req, res)
    else breakIt(mode, req, res)
  })

  function breakIt(how: Exclude<Breakage, 'none'>, req: IncomingMessage, res: ServerResponse): void {
    broken[how] = (broken[how] ?? 0) + 1
    switch (how) {
      case 'unavailable':
        req.resume()
        res.writeHead(503, { 'Retry-After': '1' }).end('<h1>503</h1>')
        break
      case 'tooMany':
        req.resume()
        res.writeHead(429, { 'Retry-After': '2' }).end()
        break
      case 'resetBefore':
        req.once('data', () => req.socket.resetAndDestroy())
        break
      case 'resetAfter':
        void pass(req, undefined).then(() => req.socket.resetAndDestroy())
        break
      case 'silent':
        req.resume()
        break
      case 'halfAnswer':
        res.writeHead(202, { 'Content-Type': 'application/json', 'Content-Length': 100 }).write('{"object":')
        void pass(req, undefined)
        break
    }
  }

  async function pass(req: IncomingMessage, res: ServerResponse | undefined): Promise<void> {
    try {
      const body = await buffer(req)
      const forward = request(target + (req.url ?? ''), { method: req.method, headers: req.headers })
      forward.end(body)
      const [answer] = (await once(forward, 'response')) as [IncomingMessage]
      const text = await buffer(answer)
      res?.writeHead(answer.statusCode ?? 500, answer.headers).end(text)
    } catch {
      req.socket.destroy()
    }
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    broken,
    break(how) {
      mode = how
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
