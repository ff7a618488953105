import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { WholeAnswer, WholePosts } from '@ariftly/runtime'
import { createPostReader } from './read-post.ts'
import { renderAnswer } from './render-answer.ts'

/** What the short way needs. */
export interface ServeWholePostsOptions {
  readonly keepAliveTimeoutMs: number
  /** A new connection must have sent something within this. */
  readonly headersTimeoutMs: number
}

/** The connections of a server that only whole posts have come on so far. */
export interface WholePostConnections {
  /** Answers go out with `Connection: close` from now on. */
  drain(): void
  /** Ends connections that wait for a request, and others after their answer. */
  close(): void
  /** Cuts all. */
  destroy(): void
  /** Answers under way. */
  readonly unanswered: number
}

/** One connection, by its socket. */
interface Connection {
  readonly socket: Socket
  readonly read: ReturnType<typeof createPostReader>
  /** An answer is under way. */
  busy: boolean
  /** The beginning of a request, or what came while an answer was under way. */
  held: Buffer | undefined
  /** When its last answer was written, or what is held began to come. */
  usedMs: number
  /** Nothing was answered on it yet. */
  fresh: boolean
  /** The client sends no more. */
  ended: boolean
  /** Takes this module's listeners off. */
  readonly detach: () => void
}

/** A request whose rest has not come within this is left to `node:http`, with its clocks. */
const REST_MS = 1000
const LOOK_EVERY_MS = 500

/**
 * Puts a short way before a server of `node:http`, for requests that come whole: reading them by hand and writing their answers at once costs a third of what
 * a request and a response object cost. A connection on which anything else comes is handed to `node:http` with what was read, for good, so this reads
 * only what no two readers could read differently, and refuses nothing itself.
 */
export function serveWholePosts(server: Server, posts: WholePosts, o: ServeWholePostsOptions): WholePostConnections {
  const connections = new Map<Socket, Connection>()
  const keepAliveS = Math.floor(o.keepAliveTimeoutMs / 1000)
  const takers = server.listeners('connection')
  server.removeAllListeners('connection')
  server.on('connection', take)
  const clock = setInterval(look, LOOK_EVERY_MS)
  clock.unref()
  server.once('close', () => clearInterval(clock))
  let draining = false
  let unanswered = 0

  function take(socket: Socket): void {
    const connection: Connection = {
      socket,
      read: createPostReader(posts.path),
      busy: false,
      held: undefined,
      usedMs: performance.now(),
      fresh: true,
      ended: false,
      detach,
    }
    connections.set(socket, connection)
    socket.on('data', onData)
    socket.on('end', onEnd)
    socket.on('error', ignore)
    socket.on('close', forget)

    function onData(chunk: Buffer): void {
      const { held } = connection
      if (held === undefined) connection.usedMs = performance.now()
      connection.held = held === undefined ? chunk : Buffer.concat([held, chunk])
      if (!connection.busy) next(connection)
      // What a client sends ahead stays in the kernel, but for this.
      else socket.pause()
    }

    /** What is under way is still answered. */
    function onEnd(): void {
      connection.ended = true
      if (!connection.busy) socket.end()
    }

    function forget(): void {
      connections.delete(socket)
    }

    function detach(): void {
      connections.delete(socket)
      socket.off('data', onData)
      socket.off('end', onEnd)
      socket.off('error', ignore)
      socket.off('close', forget)
    }
  }

  /** Looks at what is held while no answer is under way. */
  function next(connection: Connection): void {
    const { held: bytes } = connection
    if (bytes === undefined) return
    const found = connection.read(bytes)
    if (found.type === 'begun') return
    if (found.type === 'other') {
      handOver(connection)
      return
    }
    connection.held = undefined
    connection.busy = true
    unanswered += 1
    void answer(connection, posts.answer(found.post))
  }

  async function answer(connection: Connection, coming: Promise<WholeAnswer>): Promise<void> {
    const given = await coming
    const { socket } = connection
    const close = draining || connection.ended
    const complete = !socket.destroyed
    unanswered -= 1
    connection.busy = false
    if (complete) {
      connection.fresh = false
      connection.usedMs = performance.now()
      const { text, encoding } = renderAnswer(given, { keepAliveS, close })
      const taken = socket.write(text, encoding)
      if (close) socket.end()
      else if (taken) goOn(connection)
      else {
        // A client that reads nothing sends nothing either, as far as we are concerned.
        socket.pause()
        socket.once('drain', () => goOn(connection))
      }
    }
    given.ended(complete)
  }

  function goOn(connection: Connection): void {
    const { socket } = connection
    if (socket.isPaused()) socket.resume()
    next(connection)
  }

  /** From here on the connection is `node:http`'s, as if it had been from the start. */
  function handOver({ socket, held, detach }: Connection): void {
    detach()
    socket.pause()
    if (held !== undefined) socket.unshift(held)
    for (const taker of takers) taker.call(server, socket)
    socket.resume()
  }

  function look(): void {
    const nowMs = performance.now()
    for (const connection of connections.values()) {
      if (connection.busy) continue
      const idleMs = nowMs - connection.usedMs
      if (connection.held !== undefined) {
        if (idleMs > REST_MS) handOver(connection)
      } else if (idleMs > (connection.fresh ? o.headersTimeoutMs : o.keepAliveTimeoutMs)) connection.socket.destroy()
    }
  }

  return {
    drain() {
      draining = true
    },
    close() {
      draining = true
      for (const connection of connections.values()) {
        if (connection.busy) continue
        if (connection.held === undefined) connection.socket.destroy()
        else handOver(connection)
      }
    },
    destroy() {
      for (const socket of connections.keys()) socket.destroy()
    },
    get unanswered() {
      return unanswered
    },
  }
}

/** The connection's `close` follows. */
function ignore(): void {}
