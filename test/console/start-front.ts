import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One address for several services, as a proxy in front of an installation has. */
export interface Front {
  readonly port: number
  close(): Promise<void>
}

/** Starts it on 127.0.0.1: streams are led to the gateway, all else to the server. An answer that breaks off there breaks off here. */
export async function startFront(o: { readonly server: string; readonly gateway: string }): Promise<Front> {
  const server = createServer((req, res) => {
    const { method, url = '', headers } = req
    const base = url.startsWith('/v1/events/stream') ? o.gateway : o.server
    const passed = request(`${base}${url}`, { method, headers })
    passed.on('response', (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers)
      res.flushHeaders()
      answer.pipe(res)
      answer.on('error', () => res.destroy())
    })
    passed.on('error', () => {
      if (res.headersSent) res.destroy()
      else res.writeHead(502).end()
    })
    res.on('close', () => passed.destroy())
    req.pipe(passed)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
