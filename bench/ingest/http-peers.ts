import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { serveMessages } from './worker.ts'

/** Which peer to serve. */
export interface PeerOrder {
  readonly peer: 'bare' | 'express'
}

if (process.send !== undefined) serveMessages(async (order) => ({ port: await serve((order as PeerOrder).peer) }))

async function serve(peer: PeerOrder['peer']): Promise<number> {
  const server = createServer(peer === 'bare' ? echo : createExpress())
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return (server.address() as AddressInfo).port
}

/** What `node:http` costs at least: the body is read and sent back; nothing is parsed or checked. */
const echo: RequestListener = (req, res) => {
  const chunks: Buffer[] = []
  req.on('data', (chunk: Buffer) => chunks.push(chunk))
  req.on('end', () => {
    const body = Buffer.concat(chunks)
    res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length })
    res.end(body)
  })
}

/** The usual way: express parses the body; nothing is checked or written. */
function createExpress(): RequestListener {
  const app = express()
  app.use(express.json({ limit: '5mb' }))
  app.post('/v1/events', (req, res) => {
    const { type } = req.body as { type: string }
    res.status(202).json({ object: 'list', data: [{ index: 0, id: type, status: 'accepted' }] })
  })
  return app
}
