import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { createChannel, createSession } from 'better-sse'
import { serveMessages } from '../ingest/worker.ts'

/** Which peer to serve. */
export interface PeerOrder {
  readonly peer: 'better-sse' | 'raw-write'
}

if (process.send !== undefined) serveMessages(async (order) => ({ port: await serve((order as PeerOrder).peer) }))

/** `GET /` is a stream, `POST /` publishes its body to all streams. */
async function serve(peer: PeerOrder['peer']): Promise<number> {
  const { subscribe, publish } = peer === 'raw-write' ? rawWrite() : betterSse()
  const server = createServer((req, res) => {
    void (req.method === 'POST' ? take(req, res, publish) : subscribe(req, res))
  })
  server.keepAliveTimeout = 600_000
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', 4096, resolve)
  })
  return (server.address() as AddressInfo).port
}

interface Peer {
  readonly subscribe: (req: IncomingMessage, res: ServerResponse) => void | Promise<void>
  readonly publish: (body: string) => void
}

async function take(req: IncomingMessage, res: ServerResponse, publish: Peer['publish']): Promise<void> {
  publish(await text(req))
  res.writeHead(204).end()
}

/** What `node:http` alone costs: a ready Buffer for each event, one `res.write` a client; nothing is filtered or resumed. */
function rawWrite(): Peer {
  const open = new Set<ServerResponse>()
  return {
    subscribe(_req, res) {
      res.writeHead(200, { 'Content-Type': 'text/event-stream' })
      res.flushHeaders()
      open.add(res)
      res.once('close', () => open.delete(res))
    },
    publish(body) {
      const frame = Buffer.from(`event: task.progress\nid: ${'i'.repeat(ID_CHARS)}\ndata: ${body}\n\n`)
      for (const res of open) res.write(frame)
    },
  }
}

/** better-sse's channel as its documentation shows it. */
function betterSse(): Peer {
  const channel = createChannel()
  return {
    async subscribe(req, res) {
      channel.register(await createSession(req, res))
    },
    publish(body) {
      channel.broadcast(body, 'task.progress', { eventId: 'i'.repeat(ID_CHARS) })
    },
  }
}

const ID_CHARS = 40
