import { Client, type buildConnector } from 'undici'
import type { Socket } from 'node:net'
import type { Deadline } from './deadline.ts'
import { EgressFault } from './fault.ts'
import type { DialRecord } from './connector.ts'

/** Opens the socket of one connection; `signal` ends the dial of the exchange that asked for it. */
export type OpenSocket = (url: URL, record: DialRecord, signal: AbortSignal) => Promise<Socket>

/** One connection: an undici client with one request at a time, and what its last dial cost. */
export interface Connection {
  readonly client: Client
  record: DialRecord
  /** The dial made for the request that has the connection now; undefined when a kept socket was used. */
  dialled: DialRecord | undefined
  /** The deadline of the exchange that has the connection: it ends its dial too. */
  deadline: Deadline
  idleSinceMs: number
  used: boolean
}

type ConnectCallback = buildConnector.Callback

interface Origin {
  readonly idle: Connection[]
  readonly busy: Set<Connection>
}

/** Endpoints have bursts: a connection of ten that the last one needed is kept until the next. Undici keeps to a shorter `Keep-Alive` of the receiver. */
const IDLE_MS_MAX = 30_000
const SWEEP_EVERY_MS = 5_000
/** Idle connections over all origins; beyond it a connection is closed after its request. */
const IDLE_MAX = 2_000

/**
 * Kept connections by origin. Our own pool rather than undici's: with one client per connection it is known which request made which dial, and a deadline
 * ends exactly one exchange. There are as many connections as running requests, which callers bound by endpoint and tenant:
 * with a limit by origin, tenants whose receivers share a host would wait for one another.
 */
export class OriginPool {
  readonly #openSocket: OpenSocket
  readonly #origins = new Map<string, Origin>()
  readonly #sweeper: NodeJS.Timeout
  #idleCount = 0
  #isClosed = false

  constructor(openSocket: OpenSocket) {
    this.#openSocket = openSocket
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_EVERY_MS)
    this.#sweeper.unref()
  }

  /**
   * A kept connection, or a new one when there is none or `fresh` is set: never waits for another request. Throws when the pool
   * is closed.
   */
  acquire(url: URL, deadline: Deadline, { fresh = false }: { readonly fresh?: boolean } = {}): Connection {
    if (this.#isClosed) throw new EgressFault('connection_reset', 'ended by us')
    const origin = this.#originOf(url.origin)
    const kept = fresh ? undefined : origin.idle.pop()
    if (kept !== undefined) this.#idleCount -= 1
    const connection = kept ?? openConnection(url, deadline, this.#openSocket)
    connection.deadline = deadline
    connection.dialled = undefined
    origin.busy.add(connection)
    return connection
  }

  /** Gives it back: kept for the next request, or destroyed when its exchange did not end well. */
  release(url: URL, connection: Connection, keep: boolean): void {
    const origin = this.#origins.get(url.origin)
    origin?.busy.delete(connection)
    connection.used = true
    if (keep && origin !== undefined && this.#idleCount < IDLE_MAX && !connection.client.destroyed) {
      connection.idleSinceMs = performance.now()
      origin.idle.push(connection)
      this.#idleCount += 1
    } else {
      void connection.client.destroy().catch(() => {})
    }
    if (origin !== undefined && isEmpty(origin)) this.#origins.delete(url.origin)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#sweeper)
    const all = [...this.#origins.values()].flatMap(({ idle, busy }) => [...idle, ...busy])
    this.#origins.clear()
    await Promise.allSettled(all.map(({ client }) => client.destroy()))
  }

  #originOf(name: string): Origin {
    const known = this.#origins.get(name)
    if (known !== undefined) return known
    const origin: Origin = { idle: [], busy: new Set() }
    this.#origins.set(name, origin)
    return origin
  }

  #sweep(): void {
    const oldest = performance.now() - IDLE_MS_MAX
    for (const [name, origin] of this.#origins) {
      while (origin.idle[0] !== undefined && origin.idle[0].idleSinceMs < oldest) {
        void origin.idle
          .shift()
          ?.client.destroy()
          .catch(() => {})
        this.#idleCount -= 1
      }
      if (isEmpty(origin)) this.#origins.delete(name)
    }
  }
}

function isEmpty({ idle, busy }: Origin): boolean {
  return busy.size === 0 && idle.length === 0
}

function openConnection(url: URL, deadline: Deadline, openSocket: OpenSocket): Connection {
  const client = new Client(url.origin, {
    pipelining: 1,
    maxHeaderSize: 16 * 1024,
    headersTimeout: 0, // The exchange has its own deadline.
    bodyTimeout: 0,
    keepAliveTimeout: IDLE_MS_MAX,
    keepAliveMaxTimeout: IDLE_MS_MAX,
    connect: (_, callback) => {
      const record: DialRecord = { address: null, dnsMs: null, connectMs: null, tlsMs: null }
      connection.record = record
      connection.dialled = record
      void connectInto(callback, openSocket(url, record, connection.deadline.signal))
    },
  })
  const record: DialRecord = { address: null, dnsMs: null, connectMs: null, tlsMs: null }
  const connection: Connection = { client, record, dialled: undefined, deadline, idleSinceMs: 0, used: false }
  return connection
}

/** Hands a socket, or why there is none, to undici. */
async function connectInto(callback: ConnectCallback, opening: Promise<Socket>): Promise<void> {
  let socket: Socket
  try {
    socket = await opening
  } catch (error) {
    callback(error instanceof Error ? error : new Error(String(error)), null)
    return
  }
  callback(null, socket)
}
