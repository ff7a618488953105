import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import type { Deadline } from './deadline.ts'
import type { Connection } from './origin-pool.ts'
import type { EgressRequest } from './outcome.ts'

/** The most of an answer that is read; a longer one is cut off there. */
const READ_BYTES_MAX = 64 * 1024
/** The most of an answer's body that is kept. */
const KEPT_BYTES_MAX = 16 * 1024
/** The most of its headers that is kept, names and values together. */
const KEPT_HEADER_BYTES_MAX = 2 * 1024

/** The part that has arrived; kept when the exchange fails half-way. */
export interface Answer {
  status: number | null
  headers: Record<string, string> | null
  body: Buffer | null
  firstByteAt: number | null
  /** False when the socket cannot be used again. */
  reusable: boolean
}

/** Sends the request on a connection and fills `answer` as it arrives. Rejects with the error, or at the deadline. */
export function exchange(
  connection: Connection,
  request: EgressRequest,
  answer: Answer,
  deadline: Deadline,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const reading = new AnswerReader(answer, deadline, resolve, reject)
    deadline.onPassed = (fault) => {
      void connection.client.destroy(fault).catch(ignore)
      reading.settle(fault)
    }
    if (deadline.fault !== undefined) return deadline.onPassed(deadline.fault)
    const { pathname, search } = request.url
    connection.client.dispatch(
      { method: 'POST', path: pathname + search, headers: request.headers, body: request.body },
      reading,
    )
  })
}

/** Fills an answer from undici's events. A class, so that an exchange makes one object and not a closure for each event. */
class AnswerReader implements Dispatcher.DispatchHandler {
  readonly #answer: Answer
  readonly #deadline: Deadline
  readonly #resolve: () => void
  readonly #reject: (error: Error) => void
  readonly #kept: Buffer[] = []
  #keptBytes = 0
  #readBytes = 0
  #cut = false

  constructor(answer: Answer, deadline: Deadline, resolve: () => void, reject: (error: Error) => void) {
    this.#answer = answer
    this.#deadline = deadline
    this.#resolve = resolve
    this.#reject = reject
  }

  onRequestStart(): void {}

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    this.#answer.firstByteAt ??= performance.now()
    if (status < 200) return
    this.#answer.status = status
    this.#answer.headers = flatten(headers)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const room = KEPT_BYTES_MAX - this.#keptBytes
    if (room > 0) {
      // A copy, as the chunk is a view of the socket's whole read buffer.
      this.#kept.push(Buffer.from(chunk.subarray(0, room)))
      this.#keptBytes += Math.min(room, chunk.length)
    }
    this.#readBytes += chunk.length
    if (this.#readBytes <= READ_BYTES_MAX || this.#cut) return
    this.#cut = true
    controller.abort(new Error('the answer is longer than the limit'))
  }

  onResponseEnd(): void {
    this.settle()
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.settle(error)
  }

  /** Ends the exchange; a second call changes nothing but what the answer holds. */
  settle(error?: Error): void {
    this.#deadline.onPassed = undefined
    const [first] = this.#kept
    if (this.#answer.status !== null) {
      this.#answer.body = this.#kept.length === 1 && first !== undefined ? first : Buffer.concat(this.#kept)
    }
    this.#answer.reusable = error === undefined && !this.#cut
    if (error === undefined || this.#cut) this.#resolve()
    else this.#reject(error)
  }
}

/** The headers in their order as long as they fit, `retry-after` first. */
function flatten(headers: IncomingHttpHeaders): Record<string, string> {
  const kept: Record<string, string> = {}
  let left = KEPT_HEADER_BYTES_MAX

  function keep(name: string): void {
    const value = headers[name]
    const text = Array.isArray(value) ? value.join(', ') : String(value)
    if (name.length + text.length > left) return
    left -= name.length + text.length
    kept[name] = text
  }

  if (headers['retry-after'] !== undefined) keep('retry-after')
  for (const name of Object.keys(headers)) if (name !== 'retry-after') keep(name)
  return kept
}

function ignore(): void {}
