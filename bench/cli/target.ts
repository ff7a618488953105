import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serveMessages } from '../ingest/worker.ts'

/** What a target says: its address, and the requests that it has answered so far. */
export interface TargetState {
  readonly url: string
  readonly requests: number
}

let requests = 0

/** Answers each complete request with 200. */
const server = createServer((req, res) => {
  req.resume().on('end', () => {
    requests += 1
    res.end()
  })
})

server.listen(0, '127.0.0.1')
await once(server, 'listening')
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
serveMessages(async () => ({ url, requests }) satisfies TargetState)
