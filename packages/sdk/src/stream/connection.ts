import { ConnectionError, ProtocolError, TimeoutError } from '../errors.ts'
import { readBody, readText, type BodyReader } from '../http/body.ts'
import { startTimer } from '../http/timer.ts'
import { errorOf, type Call, type Transport } from '../http/transport.ts'
import { SseParser, type Frame } from './sse-parser.ts'

/** How a connection is opened and watched. */
export interface ConnectionOptions {
  /** Ends the attempt to open it. */
  readonly signal: AbortSignal
  /** Ends the connection in any state. The connection aborts it with a TimeoutError when it is silent for too long. */
  readonly controller: AbortController
  /** Without a byte for this long, the connection is dead. */
  readonly stallTimeoutMs: number
}

/** One open connection of a stream. Bytes are read only when a frame is asked for, so that a slow reader slows the server down. */
export class Connection {
  readonly #body: BodyReader
  readonly #controller: AbortController
  readonly #stallTimeoutMs: number
  readonly #parser = new SseParser()
  #frames: Frame[] = []
  #failure: Error | undefined

  private constructor(body: BodyReader, { controller, stallTimeoutMs }: ConnectionOptions) {
    this.#body = body
    this.#controller = controller
    this.#stallTimeoutMs = stallTimeoutMs
  }

  /** Opens a stream. Throws an ApiError for an error status, ProtocolError for any other body than an event stream, and ConnectionError. */
  static async open(transport: Transport, call: Call, options: ConnectionOptions): Promise<Connection> {
    const { signal, controller } = options
    const response = await transport.open(call, signal).catch((error: unknown) => {
      throw new ConnectionError(error)
    })
    const { status, headers, body } = response
    const type = headers.get('content-type') ?? ''
    if (!signal.aborted && status === 200 && type.includes('text/event-stream') && body !== null) {
      return new Connection(readBody(body as ReadableStream<Uint8Array>, controller.signal), options)
    }
    if (!signal.aborted && status >= 400) throw errorOf({ status, headers, text: await readText(response, signal) })
    // It would stay open: on Node 20 an abort of `signal` does not reach a body for certain.
    void body?.cancel().catch(() => undefined)
    throw new ProtocolError(`The answer (${status}, ${type}) is no event stream. Is the base URL the API's?`)
  }

  /** What the server said about coming back, milliseconds. */
  get retryMs(): number | undefined {
    return this.#parser.retryMs
  }

  /** Why it ended; undefined when the server ended it in good order, or `controller` was aborted from outside. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /** The next complete frame; undefined when the connection has ended and all complete frames were returned. Throws ProtocolError. */
  async next(): Promise<Frame | undefined> {
    for (;;) {
      const frame = this.#frames.shift()
      if (frame !== undefined) return frame
      const chunk = await this.#read()
      if (chunk === undefined) return undefined
      this.#frames = this.#parser.push(chunk)
    }
  }

  async #read(): Promise<Uint8Array | undefined> {
    const { signal } = this.#controller
    const silent = () => {
      this.#failure = new TimeoutError(`The stream was silent for ${this.#stallTimeoutMs} ms.`)
      this.#controller.abort(this.#failure)
    }
    const stall = startTimer(silent, this.#stallTimeoutMs)
    try {
      return signal.aborted ? undefined : await this.#body.read()
    } catch (error) {
      if (!signal.aborted) this.#failure = new ConnectionError(error)
      return undefined
    } finally {
      clearTimeout(stall)
    }
  }
}
