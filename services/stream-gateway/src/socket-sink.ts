import type { Socket } from 'node:net'
import type { Sink } from './client.ts'
import { unchunk } from './frames.ts'

/**
 * Writes a stream's blocks straight to its socket, past node's response object: one write a block, of a Buffer that other
 * clients share. `chunked` is false for HTTP/1.0, which knows no chunks.
 */
export function createSocketSink(socket: Socket, chunked: boolean): Sink {
  return {
    write(block) {
      if (socket.writable) socket.write(chunked ? block : unchunk(block))
      return socket.writableLength
    },
    unsentBytes: () => socket.writableLength,
    hasRoom: () => !socket.writableNeedDrain,
    sentBytes: () => socket.bytesWritten - socket.writableLength,
    // A FIN without the last chunk: clients see that the answer is not whole, and come back.
    end: () => socket.destroySoon(),
    destroy: () => void socket.destroy(),
  }
}
