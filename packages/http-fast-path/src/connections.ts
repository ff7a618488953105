import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { ConnectionTimeouts, FrontConnections } from '@ariftly/http'
import { Connection } from './connection.ts'
import type { FastPathService } from './fast-path-service.ts'

const LOOK_EVERY_MS = 500

/** All connections of a server that have had nothing but posts for the fast path so far. */
export class FastPathConnections implements FrontConnections {
  readonly #server: Server
  readonly #service: FastPathService
  readonly #timeouts: ConnectionTimeouts
  /** The listeners of `node:http` for new connections. */
  readonly #httpListeners: readonly ((socket: Socket) => void)[]
  readonly #connections = new Set<Connection>()
  #isDraining = false

  constructor(server: Server, service: FastPathService, timeouts: ConnectionTimeouts) {
    this.#server = server
    this.#service = service
    this.#timeouts = timeouts
    this.#httpListeners = server.listeners('connection') as ((socket: Socket) => void)[]
    server.removeAllListeners('connection')
    server.on('connection', (socket) => this.#accept(socket))
    // One clock for all connections, so that none has timers of its own.
    const clock = setInterval(() => this.#endIdle(), LOOK_EVERY_MS)
    clock.unref()
    server.once('close', () => clearInterval(clock))
  }

  drain(): void {
    this.#isDraining = true
  }

  close(): void {
    this.#isDraining = true
    for (const connection of this.#connections) connection.endIfIdle()
  }

  destroy(): void {
    for (const connection of this.#connections) connection.destroy()
  }

  get unanswered(): number {
    let count = 0
    for (const connection of this.#connections) if (connection.isAnswering) count += 1
    return count
  }

  #accept(socket: Socket): void {
    const connection = new Connection(socket, {
      service: this.#service,
      keepAliveS: Math.floor(this.#timeouts.keepAliveTimeoutMs / 1000),
      isDraining: () => this.#isDraining,
      handOver: () => this.#httpListeners.forEach((listener) => listener.call(this.#server, socket)),
      onEnd: () => this.#connections.delete(connection),
    })
    this.#connections.add(connection)
  }

  #endIdle(): void {
    const nowMs = performance.now()
    for (const connection of this.#connections) connection.endIfOverdue(nowMs, this.#timeouts)
  }
}
