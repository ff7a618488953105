import { ApiError, AuthenticationError, ProtocolError } from '../errors.ts'
import { onAbort } from '../http/abort.ts'
import { BACK_OFF, backOffMs, isRetryableStatus, pause } from '../http/back-off.ts'
import type { Call, Transport } from '../http/transport.ts'
import type { IssuedStreamToken } from '../options.ts'
import { onReturn } from '../platform.ts'
import type { Event, Logger, StreamedEvent, StreamFilter, StreamItem, StreamReset } from '../types.ts'
import { Connection } from './connection.ts'
import { PositionSaver, type PositionStore } from './position-store.ts'
import { SeenIds } from './seen-ids.ts'
import type { Frame } from './sse-parser.ts'
import { StreamTokenSource } from './stream-token.ts'

/** Where a stream begins and how it is kept. */
export interface StreamOptions extends StreamFilter {
  /** ISO 8601: begins with what was appended since. A position wins over it. */
  readonly after?: string
  /** A position, as `stream.position` gave it. It wins over the one in the store. */
  readonly from?: string
  /** Where the position is kept, and where it is read from at the start. */
  readonly positionStore?: PositionStore
  /** How often the position is saved; default 1,000 ms. With 0 each event is saved before the next one is given out. */
  readonly saveEveryMs?: number
  /** Ends the loop, as `close` does. */
  readonly signal?: AbortSignal
  /** A connection without a byte for so long is dead; default 37,500 ms, two and a half heartbeats. */
  readonly stallTimeoutMs?: number
}

/** What {@link EventStream} needs of its client. */
export interface StreamDeps {
  readonly transport: Transport
  readonly streamToken: ((filter: StreamFilter) => Promise<IssuedStreamToken>) | undefined
  readonly logger: Logger | undefined
  /** Aborts when the client is closed: all its streams end. */
  readonly closed: AbortSignal
}

const HEARTBEAT_MS = 15_000
/** Ids remembered to drop what comes twice. */
const SEEN_MAX = 10_000

/**
 * Events as they happen: `for await` over it. It opens a connection when the loop begins and another one whenever that ends, however it ends, with
 * the position of the last frame, so that nothing is missed and nothing repeated. It ends by `close`, by its signal, by leaving the loop, or with
 * an error that no retry mends. It can be iterated once.
 */
export class EventStream implements AsyncIterable<StreamItem> {
  readonly #deps: StreamDeps
  readonly #options: StreamOptions
  readonly #filter: StreamFilter
  readonly #closed = new AbortController()
  readonly #seen = new SeenIds(SEEN_MAX)
  readonly #saver: PositionSaver | undefined
  readonly #token: StreamTokenSource | undefined
  #connection: Connection | undefined
  /** The attempt to connect, or the wait for the next one, that is under way: an abort cuts it short. */
  #pending: AbortController | undefined
  #isStarted = false
  /** Of the last frame that was taken from a connection: what the next one resumes from. */
  #received: string | undefined
  #position: string | undefined
  #failures = 0
  #retryMs = 0

  constructor(deps: StreamDeps, options: StreamOptions) {
    this.#deps = deps
    this.#options = options
    const { task_id, session_id, agent, types, positionStore, saveEveryMs = 1000 } = options
    this.#filter = { ...defined({ task_id, session_id, agent, types }) }
    const warn = (error: unknown) => deps.logger?.warn(`The position could not be saved: ${String(error)}`)
    this.#saver = positionStore && new PositionSaver(positionStore, saveEveryMs, warn)
    this.#token = deps.streamToken && new StreamTokenSource(deps.streamToken, this.#filter)
  }

  /**
   * The position after the last event that the loop has finished, that is: after which it has asked for the next one. Always safe to store; pass
   * it as `from`. Undefined before the first frame.
   */
  get position(): string | undefined {
    return this.#position
  }

  /** Ends the loop once the event in hand is finished: call it inside the loop, where `break` would leave that event unfinished. */
  close(): void {
    this.#closed.abort()
    this.#pending?.abort()
    this.#connection?.end()
  }

  /** Opens a new connection now, in place of the one that is there, of an attempt that is under way, or of a wait for one. */
  reconnect(): void {
    this.#pending?.abort()
    this.#connection?.end()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<StreamItem, void, undefined> {
    if (this.#isStarted) throw new ProtocolError('A stream can be iterated once: make another one.')
    this.#isStarted = true
    const { signal, from } = this.#options
    const close = () => this.close()
    const stops = [onReturn(() => this.reconnect()), onAbort(signal, close), onAbort(this.#deps.closed, close)]
    try {
      this.#received = from ?? (await this.#saver?.load())
      this.#position = this.#received
      while (!this.#isClosed) yield* this.#readConnection()
    } finally {
      for (const stop of stops) stop()
      this.close()
      await this.#saver?.finish()
    }
  }

  get #isClosed(): boolean {
    return this.#closed.signal.aborted
  }

  /** Opens one connection and gives out what it holds; returns when it is time to open another one. */
  async *#readConnection(): AsyncGenerator<StreamItem, void, undefined> {
    const connection = await this.#connect()
    if (connection === undefined) return
    this.#connection = connection
    this.#token?.taken()
    const renewal = this.#token && setTimeout(() => connection.end(), this.#token.renewInMs)
    try {
      for (let frame = await connection.next(); frame !== undefined; frame = await connection.next()) {
        this.#failures = 0
        const item = this.#itemOf(frame)
        if (item !== undefined) yield item
        await this.#finish(frame.id)
        if (this.#isClosed) return
      }
    } finally {
      clearTimeout(renewal)
      connection.end()
      this.#connection = undefined
      this.#retryMs = connection.retryMs ?? this.#retryMs
    }
    if (!this.#isClosed && !(this.#token !== undefined && this.#token.renewInMs === 0)) await this.#wait(0)
  }

  /** Undefined when it failed in a way that a retry may mend, and the wait is over. */
  async #connect(): Promise<Connection | undefined> {
    const { transport, logger } = this.#deps
    const { stallTimeoutMs = 2.5 * HEARTBEAT_MS } = this.#options
    const options = { connectTimeoutMs: transport.settings.attemptTimeoutMs, stallTimeoutMs }
    const { signal } = (this.#pending = new AbortController())
    try {
      return await Connection.open(transport, await this.#call(signal), options)
    } catch (error) {
      if (signal.aborted) return undefined
      if (error instanceof ProtocolError) throw error
      if (error instanceof ApiError && !isRetryableStatus(error.status)) {
        // A token may have ended early; a new one that is refused too ends the stream.
        if (!(error instanceof AuthenticationError) || this.#token?.drop() !== true) throw error
        return undefined
      }
      logger?.warn(`The stream could not be opened: ${String(error)}`)
      await this.#wait(error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0)
      return undefined
    }
  }

  async #call(signal: AbortSignal): Promise<Call> {
    const { after } = this.#options
    const common = { method: 'GET', path: '/v1/events/stream', signal } as const
    const resumed = this.#received
    if (this.#token !== undefined) {
      // No header of our own: a browser would ask the server first for leave to send it.
      const query = { token: await this.#token.get(), envelope: true, after, last_event_id: resumed }
      return { ...common, query }
    }
    const headers = { Accept: 'text/event-stream', ...(resumed === undefined ? {} : { 'Last-Event-ID': resumed }) }
    return { ...common, headers, query: { ...this.#filter, envelope: true, after } }
  }

  /** Full jitter, the server's `retry:` as the least; only a frame makes the waits short again. */
  async #wait(floorMs: number): Promise<void> {
    this.#failures += 1
    const { signal } = (this.#pending = new AbortController())
    const waitMs = backOffMs(this.#failures, Math.max(floorMs, this.#retryMs), BACK_OFF)
    // An abort ends the wait early.
    await pause(waitMs, signal).catch(() => undefined)
  }

  /** What the loop is to see of a frame. */
  #itemOf(frame: Frame): StreamItem | undefined {
    if (frame.id !== undefined) this.#received = frame.id
    if (frame.event === 'stream.reset') return { type: 'stream.reset', ...(readJson(frame.data) as ResetData) }
    if (frame.event.startsWith('stream.')) return undefined
    const event = readJson(frame.data) as Event
    return this.#seen.add(event.id) ? withRawData(event, frame.data) : undefined
  }

  async #finish(position: string | undefined): Promise<void> {
    if (position === undefined) return
    this.#position = position
    await this.#saver?.note(position)
  }
}

type ResetData = Omit<StreamReset, 'type'>

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new ProtocolError('A frame of the stream is no JSON.')
  }
}

/** `data` is the last member of an event, and none before it can hold a quote. */
function withRawData(event: Event, text: string): StreamedEvent {
  const get = () => text.slice(text.indexOf(',"data":') + ',"data":'.length, -1)
  return Object.defineProperty(event, 'rawData', { get, enumerable: false }) as StreamedEvent
}

function defined<T extends object>(members: T): { [K in keyof T]: NonNullable<T[K]> } {
  const entries = Object.entries(members).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { [K in keyof T]: NonNullable<T[K]> }
}
