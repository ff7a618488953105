import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Ariftly, type StreamFilter } from '@ariftly/sdk'
import { eventually } from '@ariftly/testkit'
import { afterEach, beforeEach, expect, test } from '@jest/globals'

const CHECKPOINT = 'id: position-1\nevent: stream.checkpoint\ndata: {"live":true}\n\n'

/** What the page uses of a feed. */
interface Feed {
  readonly state: { readonly stream: { readonly type: string } }
  start(client: Ariftly): () => void
}

/** The tests are type-checked without the names of a browser, which the module uses. */
const MODULE: string = './live-feed.ts'

const drawSoon = (draw: () => void) => Number(setTimeout(draw, 1))

let server: Server
let client: Ariftly
let requests: IncomingMessage[]

beforeEach(async () => {
  requests = []
  server = createServer((request: IncomingMessage, response: ServerResponse) => {
    requests.push(request)
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(CHECKPOINT)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  client = new Ariftly({ apiKey: 'key', baseUrl: `http://127.0.0.1:${port}` })
  Object.assign(globalThis, {
    document: new EventTarget(),
    requestAnimationFrame: drawSoon,
    cancelAnimationFrame: clearTimeout,
  })
})

afterEach(async () => {
  await client.close()
  server.closeAllConnections()
  server.close()
})

test('continues at the last checkpoint when it was closed before the first event', async () => {
  const { LiveFeed } = (await import(MODULE)) as { LiveFeed: new (filter: StreamFilter) => Feed }
  const feed = new LiveFeed({ task_id: 'task_1' })
  const close = feed.start(client)
  await eventually('the stream is live', () => feed.state.stream.type === 'live')
  close()
  const closeAgain = feed.start(client)
  await eventually('the stream is open again', () => requests.length === 2)
  closeAgain()
  expect(requests.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, 'position-1'])
})
