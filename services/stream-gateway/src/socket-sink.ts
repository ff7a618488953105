import type { Socket } from 'node:net'
import type { Sink } from './client.ts'
import { createDirectWriter, type DirectWriter } from './direct-write.ts'
import { unchunk } from './frames.ts'

/** Larger blocks are for those who catch up: node's own bookkeeping is nothing beside them. */
const DIRECT_BYTES_MAX = 16 * 1024

/**
 * Writes a stream's blocks straight to its socket, past node's response object: one write a block, of a Buffer that other
 * clients share. `chunked` is false for HTTP/1.0, which knows no chunks. The socket says `drain` when there is room again.
 */
export function createSocketSink(socket: Socket, chunked: boolean): Sink {
  return new SocketSink(socket, chunked)
}

/** Few and flat fields: with a thousand clients each memory access of a write is one that the processor waits for. */
class SocketSink implements Sink {
  /** Open, and nothing is unsent: the next small block may go to the handle at once. */
  #isIdle = false
  #isEnded = false
  readonly #direct: DirectWriter | undefined
  readonly #socket: Socket
  readonly #chunked: boolean

  constructor(socket: Socket, chunked: boolean) {
    this.#socket = socket
    this.#chunked = chunked
    this.#direct = createDirectWriter(socket, () => socket.emit('drain'))
    socket.once('close', () => this.#leave())
  }

  write(block: Buffer): number {
    if (this.#isIdle && block.length <= DIRECT_BYTES_MAX) {
      if (this.#direct?.write(block) === true) return 0
      this.#isIdle = false
      return this.unsentBytes()
    }
    return this.#writeByNode(block)
  }

  /** What node or the kernel has yet to write goes first. */
  #writeByNode(block: Buffer): number {
    const socket = this.#socket
    if (this.#isEnded || !socket.writable) return 0
    socket.write(this.#chunked ? block : unchunk(block))
    const unsent = this.unsentBytes()
    this.#isIdle = unsent === 0 && this.#chunked && this.#direct !== undefined
    return unsent
  }

  unsentBytes(): number {
    return this.#socket.writableLength + (this.#direct?.pendingBytes ?? 0)
  }

  hasRoom(): boolean {
    return !this.#socket.writableNeedDrain && (this.#direct?.pendingBytes ?? 0) === 0
  }

  sentBytes(): number {
    return this.#socket.bytesWritten - this.unsentBytes()
  }

  /** A FIN without the last chunk: clients see that the answer is not whole, and come back. */
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
