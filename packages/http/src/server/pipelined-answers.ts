import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/**
 * Requests of one connection that may be under way. Each costs some 14 KB until it is answered. If the client takes no answers, `node:http` stops
 * reading only after 64 KiB of requests, which is more than a thousand of them.
 */
const UNDER_WAY_MAX = 16

/** The answers that are due on each connection, of which only the first has the socket (RFC 9112, section 9.3.2). */
export class PipelinedAnswers {
  readonly #due = new WeakMap<Duplex, Set<ServerResponse>>()

  /**
   * Registers a request; false when it must not be handled, as its connection is closed, or is cut for too many pipelined
   * requests. When the connection closes, an answer that never had the socket is destroyed and emits `close` as the first does.
   */
  begin({ socket }: IncomingMessage, res: ServerResponse): boolean {
    if (socket.destroyed) return false
    const due = this.#due.get(socket) ?? this.#open(socket)
    if (due.size >= UNDER_WAY_MAX) {
      socket.destroy()
      return false
    }
    due.add(res)
    res.once('close', () => due.delete(res))
    return true
  }

  /** Whether a connection has an answer that is not finished. */
  isDue(socket: Duplex): boolean {
    return (this.#due.get(socket)?.size ?? 0) > 0
  }

  #open(socket: Socket): Set<ServerResponse> {
    const due = new Set<ServerResponse>()
    this.#due.set(socket, due)
    socket.once('close', () => {
      for (const res of due) if (res.socket === null) closeUnsent(res)
    })
    return due
  }
}

function closeUnsent(res: ServerResponse): void {
  res.destroy()
  res.emit('close')
}
