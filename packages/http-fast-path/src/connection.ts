import type { Socket } from 'node:net'
import type { ConnectionTimeouts } from '@ariftly/http'
import type { FastPathService, WriteResponse } from './fast-path-service.ts'
import type { FastPathCall } from './fast-path-call.ts'
import { createRequestReader } from './read-request.ts'
import { renderResponse } from './render-response.ts'

/** Options of {@link Connection}. */
export interface ConnectionOptions {
  readonly service: FastPathService
  /** For the header `Keep-Alive`. */
  readonly keepAliveS: number
  /** Whether responses are to say `Connection: close`. */
  isDraining(): boolean
  /** Gives the socket to `node:http`, which adds its listeners to it. */
  handOver(): void
  /** The socket is closed or was handed over. */
  onEnd(): void
}

/**
 * `reading`: waits for a request or the rest of one; `answering`: a request is being handled; `writing`: the client has not
 * read its response yet; `closing`: the last response was written, further bytes are discarded (RFC 9112, section 9.6).
 */
type State = 'reading' | 'answering' | 'writing' | 'closing'

/** A request that is incomplete after this is handed over to `node:http` and its timeouts. */
const REST_MS = 1000
/** A connection whose last response was written is cut after this if the client does not close it. */
const LINGER_MS = 1000

/**
 * One connection of the fast path. The first bytes that are not a complete post for the fast path, and all later ones, are
 * handed over to `node:http`: the fast path refuses nothing itself. One request is handled at a time; further ones stay in
 * the kernel's buffer, except for one read.
 */
export class Connection {
  readonly #socket: Socket
  readonly #options: ConnectionOptions
  readonly #read: ReturnType<typeof createRequestReader>
  #state: State = 'reading'
  /** The start of a request, or bytes that arrived while one was being handled. */
  #held: Buffer | undefined
  /** The call whose response the client has not read yet. */
  #unread: FastPathCall | undefined
  /** When the last response was written, or the first held byte arrived. By `performance.now`. */
  #usedMs = performance.now()
  #isFresh = true
  /** The client sends no more. */
  #isHalfClosed = false

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket
    this.#options = options
    this.#read = createRequestReader(options.service.path)
    socket.on('data', this.#onData)
    socket.on('end', this.#onHalfClosed)
    socket.on('error', ignore)
    socket.on('close', this.#onClosed)
  }

  get isAnswering(): boolean {
    return this.#state === 'answering'
  }

  /** Ends the connection unless a response is under way, which is then the last one. A partial request is left to `node:http`. */
  endIfIdle(): void {
    if (this.#state !== 'reading') return
    if (this.#held === undefined) this.#socket.destroy()
    else this.#handOver()
  }

  /** Ends a connection that waits for too long. */
  endIfOverdue(nowMs: number, { headersTimeoutMs, keepAliveTimeoutMs }: ConnectionTimeouts): void {
    const idleMs = nowMs - this.#usedMs
    switch (this.#state) {
      case 'answering':
        return
      case 'writing':
        if (idleMs > keepAliveTimeoutMs) this.#socket.destroy()
        return
      case 'closing':
        if (idleMs > LINGER_MS) this.#socket.destroy()
        return
      case 'reading':
        if (this.#held !== undefined) {
          if (idleMs > REST_MS) this.#handOver()
        } else if (idleMs > (this.#isFresh ? headersTimeoutMs : keepAliveTimeoutMs)) this.#socket.destroy()
    }
  }

  destroy(): void {
    this.#socket.destroy()
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#state === 'closing') return
    if (this.#held === undefined) {
      this.#held = chunk
      this.#usedMs = performance.now()
    } else this.#held = Buffer.concat([this.#held, chunk])
    if (this.#state === 'reading') this.#readHeld()
    else this.#socket.pause()
  }

  /** A request being handled is still answered. `node:http` answers a client that stops in the middle of one. */
  readonly #onHalfClosed = (): void => {
    this.#isHalfClosed = true
    if (this.#state !== 'reading') return
    if (this.#held === undefined) this.#end()
    else this.#handOver()
  }

  readonly #onClosed = (): void => {
    this.#endUnread()
    this.#options.onEnd()
  }

  #readHeld(): void {
    if (this.#held === undefined) return
    const found = this.#read(this.#held)
    if (found.type === 'whole') {
      this.#held = undefined
      this.#state = 'answering'
      void this.#options.service.run(found.post, this.#write)
    } else if (found.type === 'other') this.#handOver()
  }

  readonly #write: WriteResponse = (response, call) => {
    if (this.#socket.destroyed) {
      call.close()
      return false
    }
    const close = this.#options.isDraining()
    const { text, encoding } = renderResponse(response, call.headers, { keepAliveS: this.#options.keepAliveS, close })
    const isTaken = this.#socket.write(text, encoding)
    this.#isFresh = false
    this.#usedMs = performance.now()
    if (isTaken) call.close()
    else if (!this.#keepUnread(call)) return false
    if (close) this.#end()
    else if (isTaken) this.#readNext()
    else this.#waitForClient()
    return true
  }

  /** False when there is no memory for another response that is not read: the client is cut. */
  #keepUnread(call: FastPathCall): boolean {
    this.#unread = call
    const isKept = call.wait(this.#socket.writableLength)
    if (!isKept) this.#socket.destroy()
    return isKept
  }

  #endUnread(): void {
    this.#unread?.close()
    this.#unread = undefined
  }

  /** A client that does not read its response gets no further one. */
  #waitForClient(): void {
    this.#state = 'writing'
    this.#socket.pause()
    this.#socket.once('drain', () => {
      this.#endUnread()
      if (this.#options.isDraining()) this.#end()
      else this.#readNext()
    })
  }

  #readNext(): void {
    this.#state = 'reading'
    if (this.#held !== undefined) this.#readHeld()
    else if (this.#isHalfClosed) this.#end()
    if (this.#state === 'reading' && this.#socket.isPaused()) this.#socket.resume()
  }

  #end(): void {
    this.#state = 'closing'
    this.#held = undefined
    this.#socket.end()
    this.#socket.resume()
  }

  /** From here on the connection is one of `node:http`, as if it had been from the start. */
  #handOver(): void {
    const socket = this.#socket
    const held = this.#held
    socket.off('data', this.#onData)
    socket.off('end', this.#onHalfClosed)
    socket.off('error', ignore)
    socket.off('close', this.#onClosed)
    this.#options.onEnd()
    socket.pause()
    if (held !== undefined && !this.#isHalfClosed) socket.unshift(held)
    this.#options.handOver()
    if (this.#isHalfClosed) {
      // An ended stream does not take `unshift`. `end` follows a tick later, so that a refusal of the head is written before it.
      socket.emit('data', held)
      setImmediate(() => {
        if (!socket.destroyed) socket.emit('end')
      })
    } else socket.resume()
  }
}

/** `close` follows. */
function ignore(): void {}
