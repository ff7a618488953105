import { connect, type Socket } from 'node:net'
import { percentile } from '../support/report.ts'
import { requestBody } from './workload.ts'
import { serveMessages } from './worker.ts'

/** Posts over `connections`, each as fast as it is answered (or `everyMs` apart), for `ms`. */
export interface LoadOrder {
  readonly port: number
  readonly apiKey: string
  /** Events in a request; 1 is a single object. */
  readonly events: number
  readonly connections: number
  readonly ms: number
  /** Pause between the starts of two requests of one connection; 0 if not said. */
  readonly everyMs?: number
}

/** The result of a load. */
export interface LoadResult {
  readonly requestsPerS: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>
}

/** Different bodies that a run alternates. */
const BODIES = 50

if (process.send !== undefined) serveMessages((order) => runLoad(order as LoadOrder))

async function runLoad(order: LoadOrder): Promise<LoadResult> {
  const requests = Array.from({ length: BODIES }, (_, index) => renderRequest(order, index))
  const tookMs: number[] = []
  const statuses: Record<string, number> = {}
  const startedMs = performance.now()
  const endMs = startedMs + order.ms
  await Promise.all(
    Array.from({ length: order.connections }, (_, index) => runConnection(order, { requests, index, endMs }, note)),
  )

  function note(status: string, ms: number): void {
    statuses[status] = (statuses[status] ?? 0) + 1
    tookMs.push(ms)
  }

  const seconds = (performance.now() - startedMs) / 1000
  return {
    requestsPerS: tookMs.length / seconds,
    p50Ms: percentile(tookMs, 0.5),
    p99Ms: percentile(tookMs, 0.99),
    statuses,
  }
}

function renderRequest({ port, apiKey, events }: LoadOrder, index: number): Buffer {
  const body = requestBody(index * events, events)
  const head = [
    'POST /v1/events HTTP/1.1',
    `Host: 127.0.0.1:${port}`,
    `Authorization: Bearer ${apiKey}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
  ]
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body])
}

interface Turns {
  readonly requests: readonly Buffer[]
  readonly index: number
  readonly endMs: number
}

/** A client on a bare socket: a load generator must cost less than what it measures. */
function runConnection(
  { port, everyMs = 0 }: LoadOrder,
  { requests, index, endMs }: Turns,
  note: (status: string, ms: number) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ host: '127.0.0.1', port, noDelay: true })
    const answers = createAnswerReader(onAnswer)
    let turn = index
    let sentMs = 0
    socket.on('connect', () => (everyMs > 0 ? setTimeout(send, Math.random() * everyMs) : send()))
    socket.on('data', answers)
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('the server closed a connection')))

    function send(): void {
      sentMs = performance.now()
      socket.write(requests[turn++ % requests.length] ?? '')
    }

    function onAnswer(status: string): void {
      const nowMs = performance.now()
      note(status, nowMs - sentMs)
      if (nowMs < endMs) {
        if (everyMs > 0) setTimeout(send, Math.max(0, sentMs + everyMs - nowMs))
        else send()
        return
      }
      socket.removeAllListeners('close')
      socket.end()
      resolve()
    }
  })
}

/** Reads answers with a Content-Length, one at a time. */
function createAnswerReader(onAnswer: (status: string) => void): (chunk: Buffer) => void {
  let head = ''
  let left = -1
  return (chunk) => {
    let bodyBytes = chunk.length
    if (left < 0) {
      const text = head + chunk.toString('latin1')
      const end = text.indexOf('\r\n\r\n')
      if (end < 0) {
        head = text
        return
      }
      bodyBytes = text.length - end - 4
      head = text.slice(0, end)
      left = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? Number.NaN)
      if (Number.isNaN(left)) throw new Error(`an answer without length: ${head}`)
    }
    left -= bodyBytes
    if (left > 0) return
    const status = head.slice(9, 12)
    head = ''
    left = -1
    onAnswer(status)
  }
}
