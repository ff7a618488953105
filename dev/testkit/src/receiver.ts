import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { eventually, type EventuallyOptions } from './eventually.ts'

/** One complete request that a receiver got. */
export interface ReceivedRequest {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** The raw bytes. */
  readonly body: Buffer
  /** When its last byte arrived, epoch milliseconds. */
  readonly atMs: number
}

/** What a receiver answers; 200 without a body if nothing is said. */
export interface ReceiverAnswer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  /** Waits before the answer. */
  readonly delayMs?: number
  /** Never answers, or resets the connection instead. */
  readonly instead?: 'hang' | 'reset'
}

/** Chooses the answer to a request. */
export type Respond = (request: ReceivedRequest) => ReceiverAnswer | Promise<ReceiverAnswer>

/** A subscriber of webhooks on this machine. */
export interface Receiver {
  readonly url: string
  readonly port: number
  /** All requests, in the order of their last byte. */
  readonly requests: readonly ReceivedRequest[]
  /** Waits until it has got at least so many requests in all, and answers with them. */
  received(count: number, options?: EventuallyOptions): Promise<readonly ReceivedRequest[]>
  /** Answers from now on as `respond` says. */
  respondWith(respond: Respond): void
  close(): Promise<void>
}

/** Starts a receiver on 127.0.0.1 that answers 200, on the port of a previous receiver if given. */
export async function startReceiver(options: { readonly port?: number } = {}): Promise<Receiver> {
  const requests: ReceivedRequest[] = []
  let respond = accept
  const server = createServer((request, response) => {
    void receive(request, response)
  })

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request)
    if (body === undefined) return // The sender disconnected.
    const { method = '', url: path = '', headers } = request
    const received = { method, path, headers, body, atMs: Date.now() }
    requests.push(received)
    await answer(response, await respond(received))
  }

  server.listen(options.port ?? 0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/webhook`,
    port,
    requests,
    async received(count, waiting) {
      await eventually(`${count} requests`, () => requests.length >= count, { everyMs: 5, ...waiting })
      return requests
    },
    respondWith: (next) => {
      respond = next
    },
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

const accept: Respond = () => ({})

async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  try {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks)
  } catch {
    return undefined
  }
}

async function answer(response: ServerResponse, wanted: ReceiverAnswer): Promise<void> {
  if (wanted.delayMs !== undefined) await delay(wanted.delayMs)
  if (wanted.instead === 'hang' || response.destroyed) return
  if (wanted.instead === 'reset') {
    response.socket?.resetAndDestroy()
    return
  }
  response.writeHead(wanted.status ?? 200, { ...wanted.headers })
  response.end(wanted.body)
}
