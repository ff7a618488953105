import type { Socket } from 'node:net'
import type { Sink } from './client.ts'
import { directHandleOf, writeDirectly, type DirectHandle, type DirectWriter } from './direct-write.ts'
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
class SocketSink implements Sink, DirectWriter {
  /** Open, and nothing is unsent: the next small block may go to the handle at once. */
  #isIdle = false
  #isEnded = false
  /** What the kernel has yet to take of a block that went to the handle. */
  #pendingBytes = 0
  readonly #handle: DirectHandle | undefined
  readonly #socket: Socket
  readonly #chunked: boolean

  constructor(socket: Socket, chunked: boolean) {
    this.#socket = socket
    this.#chunked = chunked
    this.#handle = directHandleOf(socket)
    socket.once('close', () => this.#leave())
  }

  write(block: Buffer): number {
    if (!this.#isIdle || this.#handle === undefined || block.length > DIRECT_BYTES_MAX) return this.#writeByNode(block)
    const pending = writeDirectly(this.#handle, block, this)
    if (pending === 0) return 0
    this.#isIdle = false
    if (pending > 0) this.#pendingBytes = pending
    else this.#socket.destroy()
    return this.unsentBytes()
  }

  /** What node or the kernel has yet to write goes first. */
  #writeByNode(block: Buffer): number {
    const socket = this.#socket
    if (this.#isEnded || !socket.writable) return 0
    socket.write(this.#chunked ? block : unchunk(block))
    const unsent = this.unsentBytes()
    this.#isIdle = unsent === 0 && this.#chunked && this.#handle !== undefined
    return unsent
  }

  onTaken(status: number): void {
    this.#pendingBytes = 0
    if (status < 0) this.#socket.destroy()
    else this.#socket.emit('drain')
  }

  unsentBytes(): number {
    return this.#isIdle ? 0 : this.#socket.writableLength + this.#pendingBytes
  }

  hasRoom(): boolean {
    return !this.#socket.writableNeedDrain && this.#pendingBytes === 0
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
