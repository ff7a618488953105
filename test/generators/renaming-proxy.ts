import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

/** A server with events of a type that is not in the document. */
export interface RenamingProxy {
  readonly url: string
  close(): Promise<void>
}

/** Starts it on 127.0.0.1, in front of a server: in its answers one type of events has another name. */
export async function startRenamingProxy(target: string, from: string, to: string): Promise<RenamingProxy> {
  const server = createServer((req, res) => {
    pass(req, res).catch(() => res.destroy())
  })

  async function pass(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const forward = request(target + (req.url ?? ''), { method: req.method, headers: req.headers })
    forward.end(await buffer(req))
    const [answer] = (await once(forward, 'response')) as [IncomingMessage]
    const body = (await buffer(answer)).toString().replaceAll(JSON.stringify(from), JSON.stringify(to))
    const { 'content-length': _length, ...headers } = answer.headers
    res.writeHead(answer.statusCode ?? 500, headers).end(body)
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
