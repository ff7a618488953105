import type { IncomingHttpHeaders } from 'node:http'
import { EgressFault } from './fault.ts'
import type { Connection } from './origin-pool.ts'
import type { EgressRequest } from './outcome.ts'

/** The most of an answer that is read; a longer one is cut off there. */
const READ_BYTES_MAX = 64 * 1024
/** The most of an answer's body that is kept. */
const KEPT_BYTES_MAX = 16 * 1024
/** The most of its headers that is kept, names and values together. */
const KEPT_HEADER_BYTES_MAX = 2 * 1024

/** What has arrived so far; still there when the exchange fails half-way. */
export interface Answer {
  status: number | null
  headers: Record<string, string> | null
  body: Buffer | null
  firstByteAt: number | null
  /** False when the socket cannot be used again. */
  reusable: boolean
}

/** Sends the request on a connection and fills `answer` as it comes. Rejects with what broke it, or when `signal` aborts. */
export function exchange(
  connection: Connection,
  request: EgressRequest,
  answer: Answer,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const kept: Buffer[] = []
    let keptBytes = 0
    let readBytes = 0
    let cut = false

    function onAbort() {
      const fault = signal.reason instanceof Error ? signal.reason : new EgressFault('timeout', 'no answer in time')
      void connection.client.destroy(fault).catch(() => {})
      settle(fault)
    }
    function settle(error?: Error) {
      signal.removeEventListener('abort', onAbort)
      if (answer.status !== null) answer.body = Buffer.concat(kept, keptBytes)
      answer.reusable = error === undefined && !cut
      if (error === undefined || cut) resolve()
      else reject(error)
    }
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    connection.client.dispatch(
      {
        method: 'POST',
        path: request.url.pathname + request.url.search,
        headers: { ...request.headers },
        body: request.body,
      },
      {
        onRequestStart() {},
        onResponseStart(_, status, headers) {
          answer.firstByteAt ??= performance.now()
          if (status < 200) return
          answer.status = status
          answer.headers = flatten(headers)
        },
        onResponseData(controller, chunk) {
          const room = KEPT_BYTES_MAX - keptBytes
          if (room > 0) {
            // A copy, as the chunk is a view of the socket's whole read buffer.
            kept.push(Buffer.from(chunk.subarray(0, room)))
            keptBytes += Math.min(room, chunk.length)
          }
          readBytes += chunk.length
          if (readBytes <= READ_BYTES_MAX || cut) return
          cut = true
          controller.abort(new Error('the answer is longer than is read'))
        },
        onResponseEnd() {
          settle()
        },
        onResponseError(_, error) {
          settle(error)
        },
      },
    )
  })
}

/** The headers in their order as long as they fit, `retry-after` first. */
function flatten(headers: IncomingHttpHeaders): Record<string, string> {
  const kept: Record<string, string> = {}
  let bytes = 0
  const { 'retry-after': retryAfter, ...others } = headers
  const entries = Object.entries({ ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }), ...others })
  for (const [name, value] of entries) {
    const text = Array.isArray(value) ? value.join(', ') : String(value)
    if (bytes + name.length + text.length > KEPT_HEADER_BYTES_MAX) continue
    bytes += name.length + text.length
    kept[name] = text
  }
  return kept
}
