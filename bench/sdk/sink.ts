import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { serveMessages } from '../ingest/worker.ts'

/** What a sink says: its address, and the events that it has taken so far. */
export interface SinkState {
  readonly url: string
  readonly events: number
}

let events = 0

/** Takes events of every client, and immediately sends each its success answer. */
const server = createServer((req, res) => {
  void buffer(req).then((body) => {
    const text = body.toString()
    const parsed = text.startsWith('[') || text.startsWith('{') ? (JSON.parse(text) as unknown) : []
    events += Array.isArray(parsed) ? parsed.length : ((parsed as { batch?: unknown[] }).batch?.length ?? 0)
    res.writeHead(req.url === '/v1/events' ? 202 : 200, { 'Content-Type': 'application/json' })
    return res.end('{"status":1}')
  })
})

server.listen(0, '127.0.0.1')
await once(server, 'listening')
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
serveMessages(async () => ({ url, events }) satisfies SinkState)
