import { ConnectionError, ProtocolError, TimeoutError } from '../errors.ts'
import { readBody, readText, type BodyReader } from '../http/body.ts'
import { startTimer } from '../http/timer.ts'
import { asFailure, errorOf, type Call, type Transport } from '../http/transport.ts'
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

/**
 * What is read ahead of a slow reader; it is given out before more is read. In smaller pieces a slow reader would read at a cost that grows with
 * what waits: for every 16 KiB that are taken, `fetch` of Node copies all that its socket holds, and lets it hold 64 KiB more.
 */
const AHEAD_BYTES_MAX = 256 * 1024

/** One open connection of a stream. It reads ahead by {@link AHEAD_BYTES_MAX} at most, so that a slow reader slows the server down. */
export class Connection {
  readonly #body: BodyReader
  readonly #controller: AbortController
  readonly #stallTimeoutMs: number
  readonly #parser = new SseParser()
  readonly #frames: Frame[] = []
  /** Bytes read since the last time that no frame was left. */
  #aheadBytes = 0
  #failure: Error | undefined
  /** Set when nothing more is read; `error` is what a frame that is none was found with. */
  #end: { readonly error: unknown } | undefined
  /** Wakes `next`, which waits while there are no frames, or the reading, which waits while there are: never both. */
  #wake: () => void = () => undefined

  private constructor(body: BodyReader, { controller, stallTimeoutMs }: ConnectionOptions) {
    this.#body = body
    this.#controller = controller
    this.#stallTimeoutMs = stallTimeoutMs
    void this.#readAhead()
  }

  /** Opens a stream. Throws an ApiError for an error status, ProtocolError for any other body than an event stream, and as `Transport.attempt`. */
  static async open(transport: Transport, call: Call, options: ConnectionOptions): Promise<Connection> {
    const { signal, controller } = options
    const response = await transport.open(call, signal).catch((error: unknown) => {
      throw asFailure(error, signal)
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

  /** The wait before reconnecting that the server asked for, milliseconds. */
  get retryMs(): number | undefined {
    return this.#parser.retryMs
  }

  /** Why it ended; undefined when the server ended it in good order, or `controller` was aborted from outside. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /** The next complete frame; undefined when the connection has ended and all complete frames were returned. Throws ProtocolError. */
  async next(): Promise<Frame | undefined> {
    while (this.#frames.length === 0 && this.#end === undefined) await this.#changed()
    const frame = this.#frames.shift()
    if (frame === undefined && this.#end?.error !== undefined) throw this.#end.error
    if (this.#frames.length === 0) this.#wake()
    return frame
  }

  /** Never rejects. */
  async #readAhead(): Promise<void> {
    let error: unknown
    try {
      for (let chunk = await this.#read(); chunk !== undefined; chunk = await this.#read()) {
        this.#aheadBytes = chunk.length + (this.#frames.length === 0 ? 0 : this.#aheadBytes)
        this.#frames.push(...this.#parser.push(chunk))
        this.#wake()
        while (this.#frames.length > 0 && this.#aheadBytes >= AHEAD_BYTES_MAX) await this.#changed()
      }
    } catch (thrown) {
      error = thrown
    }
    this.#end = { error }
    this.#wake()
  }

  async #changed(): Promise<void> {
    await new Promise<void>((resolve) => (this.#wake = resolve))
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
