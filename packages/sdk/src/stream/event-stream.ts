import { ApiError, AriftlyError, AuthenticationError, ProtocolError } from '../errors.ts'
import { onAbort } from '../http/abort.ts'
import { pause } from '../http/back-off.ts'
import { isTemporary, mayBeOfAddress } from '../http/temporary.ts'
import { startTimer } from '../http/timer.ts'
import type { Call, Transport } from '../http/transport.ts'
import { withDeadline } from '../http/with-deadline.ts'
import type { IssuedStreamToken } from '../options.ts'
import { onReturn } from '../platform.ts'
import type { AriftlyEvent, StreamedEvent, StreamFilter, StreamItem, StreamReset } from '../types.ts'
import { Connection } from './connection.ts'
import { PositionSaver, type PositionStore } from './position-store.ts'
import { SeenIds } from './seen-ids.ts'
import type { Frame } from './sse-parser.ts'
import { StateKeeper, type StreamState } from './stream-state.ts'
import { StreamTokenSource } from './stream-token.ts'

/** Where a stream begins and how it is kept. */
export interface StreamOptions extends StreamFilter {
  /** ISO 8601: starts with the events appended since. A position wins over it. */
  readonly after?: string | undefined
  /** A position, as `stream.position` gave it. It wins over the one in the store. */
  readonly from?: string | undefined
  /** Where the position is kept, and where it is read from at the start. */
  readonly positionStore?: PositionStore | undefined
  /** How often the position is saved; default 1,000 ms. With 0 each event is saved before the next one is given out. */
  readonly saveEveryMs?: number | undefined
  /** Ends the loop, as `close` does. */
  readonly signal?: AbortSignal | undefined
  /** A connection without a byte for this long is dead; default 37,500 ms, two and a half heartbeats. */
  readonly stallTimeoutMs?: number | undefined
  /** Called at each change of `stream.state`, from the start of the loop. */
  readonly onState?: ((state: StreamState) => void) | undefined
}

/** What {@link EventStream} uses of its client. */
export interface StreamDeps {
  readonly transport: Transport
  readonly streamToken: ((filter: StreamFilter) => Promise<IssuedStreamToken>) | undefined
  /** Aborts when the client is closed: all its streams end. */
  readonly closed: AbortSignal
}

const HEARTBEAT_MS = 15_000
/** Upper limit of what `retry:` can ask for. */
const RETRY_MS_MAX = 60_000
/** Ids remembered to drop duplicates. */
const SEEN_MAX = 10_000

/**
 * Events as they happen: `for await` over it. It opens a connection when the loop begins and another one whenever that ends, however it ends, with
 * the position of the last frame, so that nothing is missed and nothing repeated. It ends by `close`, by its signal, by the `close` of its client,
 * by leaving the loop, or with an error that is not retried. It can be iterated once.
 */
export class EventStream implements AsyncIterable<StreamItem> {
  readonly #deps: StreamDeps
  readonly #options: StreamOptions
  readonly #filter: StreamFilter
  readonly #closed = new AbortController()
  readonly #seen = new SeenIds(SEEN_MAX)
  readonly #saver: PositionSaver | undefined
  readonly #token: StreamTokenSource | undefined
  readonly #state: StateKeeper
  /** Ends the connection, the attempt to open one, or the wait for the next attempt: one of them is under way. */
  #current: AbortController | undefined
  #isStarted = false
  #hasConnected = false
  /** The id of the last frame that was taken from a connection: the next connection resumes from it. */
  #received: string | undefined
  #position: string | undefined
  #failures = 0
  #retryMs = 0

  constructor(deps: StreamDeps, options: StreamOptions) {
    this.#deps = deps
    this.#options = options
    const { task_id, session_id, agent, types, positionStore, saveEveryMs = 1000 } = options
    this.#filter = { ...defined({ task_id, session_id, agent, types }) }
    const { log } = deps.transport.settings
    const warn = (error: unknown) => log.warn(`The position of a stream could not be saved. ${String(error)}`)
    this.#saver = positionStore && new PositionSaver(positionStore, saveEveryMs, warn)
    this.#token = deps.streamToken && new StreamTokenSource(deps.streamToken, this.#filter)
    this.#state = new StateKeeper((state) => log.guard(() => options.onState?.(state)))
  }

  /**
   * The position after the last event that the loop has finished, that is: after which it has asked for the next one. Always safe to store; pass
   * it as `from`. Undefined before the first frame.
   */
  get position(): string | undefined {
    return this.#position
  }

  /** Where the stream is; `onState` is called when it changes. */
  get state(): StreamState {
    return this.#state.current
  }

  /** Ends the loop once the event in hand is finished: call it inside the loop, where `break` would leave that event unfinished. */
  close(): void {
    this.#closed.abort()
    this.#current?.abort()
    if (!this.#isStarted) this.#state.set({ type: 'closed' })
  }

  /** Opens a new connection now, in place of the current one, of a running attempt, or of the wait for one. */
  reconnect(): void {
    this.#current?.abort()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<StreamItem, void, undefined> {
    const { signal, from } = this.#options
    if (this.#isStarted) throw new ProtocolError('A stream can be iterated once: make another one.')
    this.#isStarted = true
    const close = () => this.close()
    const stops = [onReturn(() => this.reconnect()), onAbort(signal, close), onAbort(this.#deps.closed, close)]
    try {
      this.#received = from ?? (await this.#saver?.load())
      this.#position = this.#received
      while (!this.#isClosed) yield* this.#readConnection()
    } finally {
      for (const stop of stops) stop()
      this.close()
      this.#state.set({ type: 'closed' })
      await this.#saver?.finish()
    }
  }

  get #isClosed(): boolean {
    return this.#closed.signal.aborted
  }

  /** Opens one connection and gives out what it holds; returns when it is time to open another one. */
  async *#readConnection(): AsyncGenerator<StreamItem, void, undefined> {
    const current = (this.#current = new AbortController())
    const connection = await this.#connect(current)
    if (connection === undefined) return
    this.#hasConnected = true
    this.#token?.taken()
    const renewal = this.#token && startTimer(() => current.abort(), this.#token.renewInMs)
    let isEndedHere = true
    try {
      this.#state.set({ type: 'catching_up' })
      for (let frame = await connection.next(); frame !== undefined; frame = await connection.next()) {
        const item = this.#take(frame)
        if (item !== undefined) yield item
        await this.#finish(frame.id)
        if (this.#isClosed) return
      }
      isEndedHere = current.signal.aborted && connection.failure === undefined
    } finally {
      clearTimeout(renewal)
      current.abort()
      this.#retryMs = Math.min(RETRY_MS_MAX, connection.retryMs ?? this.#retryMs)
    }
    // A connection that was ended to renew it, by `reconnect` or for its token, is opened again without a wait.
    if (!isEndedHere) await this.#wait(0, connection.failure)
  }

  /** Undefined when it failed in a way that may be retried, and the wait is over. */
  async #connect(current: AbortController): Promise<Connection | undefined> {
    const { transport } = this.#deps
    const { stallTimeoutMs = 2.5 * HEARTBEAT_MS } = this.#options
    this.#state.set({ type: 'connecting' })
    try {
      return await withDeadline(current.signal, transport.settings.attemptTimeoutMs, async (signal) => {
        const options = { signal, controller: current, stallTimeoutMs }
        return await Connection.open(transport, await this.#call(signal), options)
      })
    } catch (error) {
      if (current.signal.aborted) return undefined
      // A token may have ended early; a new one that is refused too ends the stream.
      if (error instanceof AuthenticationError && this.#token?.drop() === true) return undefined
      if (!this.#isWaitedOut(error)) throw error
      this.#reportFailure(error)
      const floorMs = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0
      await this.#wait(floorMs, error instanceof Error ? error : new Error(String(error)))
      return undefined
    }
  }

  /** A page in place of a stream is a gateway's once there was a stream; before, it shows a wrong address. What a function of the caller throws passes. */
  #isWaitedOut(error: unknown): boolean {
    if (error instanceof ProtocolError) return this.#hasConnected
    return isTemporary(error) || !(error instanceof AriftlyError)
  }

  /** A warning at the third failure in a row, and at the first one when the address may be at fault. */
  #reportFailure(error: unknown): void {
    const isWrong = this.#failures === 0 && !this.#hasConnected && mayBeOfAddress(error)
    const level = this.#failures === 2 || isWrong ? 'warn' : 'debug'
    this.#deps.transport.settings.log[level](`The stream could not be opened. ${String(error)}`)
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

  /** Full jitter on top of what the server asked for, by `retry:` or `Retry-After`; only a frame makes the waits short again. */
  async #wait(floorMs: number, error: Error | undefined): Promise<void> {
    if (this.#isClosed) return
    this.#failures += 1
    const { signal } = (this.#current = new AbortController())
    const waitMs = this.#deps.transport.backOffMs(this.#failures, Math.max(floorMs, this.#retryMs))
    this.#deps.transport.settings.log.debug(`The stream connects again in ${waitMs} ms. ${error?.message ?? ''}`)
    this.#state.set({ type: 'waiting', error, retryAt: new Date(Date.now() + waitMs) })
    // An abort ends the wait early.
    await pause(waitMs, signal).catch(() => undefined)
  }

  /** Notes what a frame says about the stream, and answers with what the loop is to see of it. */
  #take({ event: name, data, id }: Frame): StreamItem | undefined {
    // A comment says nothing: it is also sent to a stream that waits for its history.
    if (name === undefined) return undefined
    this.#failures = 0
    if (id !== undefined) this.#received = id
    if (name === 'stream.checkpoint') this.#takeCheckpoint(data)
    if (name === 'stream.reset') {
      this.#state.set({ type: 'catching_up' })
      const reset: StreamReset = { type: 'stream.reset', ...(readJson(data) as ResetData) }
      return withHidden(reset, { position: this.#received })
    }
    if (name.startsWith('stream.')) return undefined
    const event = readJson(data) as AriftlyEvent
    return this.#seen.add(event.id) ? streamed(event, data, this.#received) : undefined
  }

  #takeCheckpoint(data: string): void {
    const { live } = readJson(data) as { readonly live?: unknown }
    if (live === true) this.#state.set({ type: 'live' })
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

function streamed(event: AriftlyEvent, text: string, position: string | undefined): StreamedEvent {
  withHidden(event, { position, rawEvent: text })
  return Object.defineProperty(event, 'rawData', RAW_DATA) as StreamedEvent
}

/** One getter for all events: with one of its own each event would be an object of another shape. */
const RAW_DATA: PropertyDescriptor & ThisType<StreamedEvent> = {
  get() {
    const { rawEvent } = this
    // `data` is the last member of an event, and none before it can hold a quote.
    return rawEvent.slice(rawEvent.indexOf(',"data":') + ',"data":'.length, -1)
  },
}

/** Adds members that are not enumerable: they are no part of what the server sent. */
function withHidden<T extends object, H extends object>(item: T, hidden: H): T & H {
  for (const [name, value] of Object.entries(hidden)) Object.defineProperty(item, name, { value })
  return item as T & H
}

function defined<T extends object>(members: T): { [K in keyof T]: NonNullable<T[K]> } {
  const entries = Object.entries(members).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { [K in keyof T]: NonNullable<T[K]> }
}
