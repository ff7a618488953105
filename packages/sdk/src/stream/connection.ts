import { ProtocolError, TimeoutError } from '../errors.ts'
import { errorOf, type Call, type Transport } from '../http/transport.ts'
import { withDeadline } from '../http/with-deadline.ts'
import { SseParser, type Frame } from './sse-parser.ts'

/** How a connection is watched. */
export interface ConnectionOptions {
  readonly connectTimeoutMs: number
  /** Without a byte for so long, the connection is dead. */
  readonly stallTimeoutMs: number
}

/** One open connection of a stream. Bytes are read only when a frame is asked for, so that a slow reader slows the server down. */
export class Connection {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  readonly #controller: AbortController
  readonly #stallTimeoutMs: number
  readonly #parser = new SseParser()
  #frames: Frame[] = []
  #isOver = false

  private constructor(response: Response, controller: AbortController, stallTimeoutMs: number) {
    if (response.body === null) throw new ProtocolError('The stream has no body.')
    this.#reader = response.body.getReader() as ReadableStreamDefaultReader<Uint8Array>
    this.#controller = controller
    this.#stallTimeoutMs = stallTimeoutMs
  }

  /** Opens a stream. Throws an ApiError for an error status, ProtocolError for what is no event stream, and what `fetch` throws. */
  static async open(
    transport: Transport,
    call: Call,
    { connectTimeoutMs, stallTimeoutMs }: ConnectionOptions,
  ): Promise<Connection> {
    const controller = new AbortController()
    return await withDeadline(call.signal, connectTimeoutMs, async (signal) => {
      signal.addEventListener('abort', () => controller.abort(signal.reason))
      const response = await transport.open(call, controller.signal)
      const type = response.headers.get('content-type') ?? ''
      if (response.status === 200 && type.includes('text/event-stream')) {
        return new Connection(response, controller, stallTimeoutMs)
      }
      const { status, headers } = response
      if (status >= 400) throw errorOf({ status, headers, text: await response.text() })
      controller.abort()
      throw new ProtocolError(`The answer (${status}, ${type}) is no event stream. Is the base URL that of the API?`)
    })
  }

  /** What the server said about coming back, milliseconds. */
  get retryMs(): number | undefined {
    return this.#parser.retryMs
  }

  /** The next whole frame; undefined when the connection has ended, however it did. Throws ProtocolError. */
  async next(): Promise<Frame | undefined> {
    for (;;) {
      const frame = this.#frames.shift()
      if (frame !== undefined) return frame
      const chunk = await this.#read()
      if (chunk === undefined) return undefined
      this.#frames = this.#parser.push(chunk)
    }
  }

  /** Ends it; what was received whole is still given out. */
  end(): void {
    this.#isOver = true
    this.#controller.abort()
  }

  async #read(): Promise<Uint8Array | undefined> {
    if (this.#isOver) return undefined
    const stalled = setTimeout(() => {
      this.#controller.abort(new TimeoutError(`The stream was silent for ${this.#stallTimeoutMs} ms.`))
    }, this.#stallTimeoutMs)
    try {
      const { value, done } = await this.#reader.read()
      return done ? undefined : value
    } catch {
      return undefined
    } finally {
      clearTimeout(stalled)
    }
  }
}
