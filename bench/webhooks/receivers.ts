import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { serveMessages } from '../ingest/worker.ts'

/** How a receiver behaves: answers 200 immediately, after 14 s, or never. */
export type ReceiverKind = 'ok' | 'slow' | 'dead'

/** What the process of receivers is asked. */
export type ReceiversRequest =
  | { readonly type: 'listen'; readonly kinds: readonly ReceiverKind[] }
  | { readonly type: 'count' }
  | { readonly type: 'take' }

/** A received request: the receiver, the number in the event, and the time in ms of the system's monotonic clock. */
export type Arrival = readonly [receiver: number, number: number, atMs: number]

const SLOW_MS = 14_000
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok'

let arrivals: Arrival[] = []

/**
 * Receivers with keep-alive, in their own process and without an HTTP library, so that they cost little: they find the end of a
 * request by its `content-length` and record the event's `"n"`.
 */
async function listen(kinds: readonly ReceiverKind[]): Promise<readonly number[]> {
  return await Promise.all(
    kinds.map(async (kind, index) => {
      const server = createServer((socket) => receive(socket, kind, index))
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      return (server.address() as AddressInfo).port
    }),
  )
}

function receive(socket: Socket, kind: ReceiverKind, index: number): void {
  let rest = ''
  socket.setNoDelay(true)
  socket.on('error', () => undefined)
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    rest += chunk
    for (let end = requestEnd(rest); end !== undefined; end = requestEnd(rest)) {
      const body = rest.slice(0, end)
      rest = rest.slice(end)
      arrivals.push([index, Number(/"n":(\d+)/.exec(body)?.[1]), Number(process.hrtime.bigint()) / 1e6])
      if (kind === 'ok') socket.write(ANSWER)
      else if (kind === 'slow') setTimeout(() => socket.write(ANSWER), SLOW_MS)
    }
  })
}

/** Where the first request in `text` ends; undefined while it is incomplete. */
function requestEnd(text: string): number | undefined {
  const head = text.indexOf('\r\n\r\n')
  if (head < 0) return undefined
  const length = Number(/content-length: (\d+)/i.exec(text.slice(0, head))?.[1] ?? 0)
  const end = head + 4 + length
  return text.length >= end ? end : undefined
}

serveMessages(async (message) => {
  const request = message as ReceiversRequest
  switch (request.type) {
    case 'listen':
      return await listen(request.kinds)
    case 'count':
      return arrivals.length
    case 'take': {
      const taken = arrivals
      arrivals = []
      return taken
    }
  }
})
