import type { Socket } from 'node:net'
import { unchunk } from '../frames/frames.ts'
import type { Sink } from '../hub/subscriber.ts'

/**
 * Writes a stream's blocks straight to its socket, past the HTTP response object: one write a block, of a Buffer that other
 * subscribers share. `chunked` is false for HTTP/1.0, which has no chunks. The socket emits `drain` when all is taken after
 * {@link Sink.hasRoom} was false.
 */
export function createSocketSink(socket: Socket, chunked: boolean): Sink {
  return new SocketSink(socket, chunked)
}

/** Few and flat fields: with a thousand streams, each memory access of a write is a cache miss. */
class SocketSink implements Sink {
  /** Nothing is unsent. Saves asking the socket at each heartbeat. */
  #isIdle = false
  #isEnded = false
  readonly #socket: Socket
  readonly #chunked: boolean

  constructor(socket: Socket, chunked: boolean) {
    this.#socket = socket
    this.#chunked = chunked
    socket.once('close', () => this.#leave())
  }

  write(block: Buffer): number {
    const socket = this.#socket
    if (this.#isEnded || !socket.writable) return 0
    socket.write(this.#chunked ? block : unchunk(block))
    const unsent = socket.writableLength
    const isIdle = unsent === 0
    if (this.#isIdle !== isIdle) this.#isIdle = isIdle
    return unsent
  }

  unsentBytes(): number {
    return this.#isIdle ? 0 : this.#socket.writableLength
  }

  hasRoom(): boolean {
    return !this.#socket.writableNeedDrain
  }

  sentBytes(): number {
    return this.#socket.bytesWritten - this.unsentBytes()
  }

  /** A FIN without the last chunk: the client sees that the answer is not complete, and reconnects. */
  end(): void {
    this.#leave()
    this.#socket.destroySoon()
  }

  destroy(): void {
    this.#leave()
    this.#socket.destroy()
  }

  #leave(): void {
    this.#isEnded = true
    this.#isIdle = false
  }
}
