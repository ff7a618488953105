import { createServer, request } from 'node:http'
import { connect, type AddressInfo } from 'node:net'

/** A proxy for clients, as companies have them (RFC 9110, 9.3.6 and RFC 9112, 3.2.2). */
export interface ForwardProxy {
  /** `http://127.0.0.1:…`, for `HTTPS_PROXY` and `HTTP_PROXY`. */
  readonly url: string
  /** Method and target of each request: `CONNECT host:443`, `GET http://host/path`. */
  readonly requests: readonly string[]
  close(): Promise<void>
}

/** Starts a proxy that finds every host, also one that no name server knows, at a port of this machine. */
export async function startForwardProxy(targetPort: number): Promise<ForwardProxy> {
  const requests: string[] = []
  const target = { host: '127.0.0.1', port: targetPort }
  const server = createServer((incoming, outgoing) => {
    const { method = '', url = '', headers } = incoming
    requests.push(`${method} ${url}`)
    const path = url.replace(/^http:\/\/[^/]+/, '')
    const onward = request({ ...target, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers).flushHeaders()
      answer.pipe(outgoing)
    })
    onward.on('error', () => outgoing.destroy())
    outgoing.on('close', () => onward.destroy())
    incoming.pipe(onward)
  })
  server.on('connect', (incoming, socket, head) => {
    requests.push(`CONNECT ${incoming.url}`)
    const onward = connect(target, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      onward.write(head)
      socket.pipe(onward).pipe(socket)
    })
    onward.on('error', () => socket.destroy()).on('close', () => socket.destroy())
    socket.on('error', () => onward.destroy()).on('close', () => onward.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}
