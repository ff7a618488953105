import type { Socket } from 'node:net'
import type { Stopped } from '@ariftly/auth'
import { sleep, type Logger } from '@ariftly/runtime'
import type { EpochReader } from '../epochs/epoch-reader.ts'
import type { StreamFilter } from '../hub/filter.ts'
import type { CloseReason } from '../hub/hub-options.ts'
import { Subscriber } from '../hub/subscriber.ts'
import type { UnsentBudget } from '../hub/unsent-budget.ts'
import { dominates } from '../log/offset-vector.ts'
import { Heartbeats, TICK_MS } from './heartbeats.ts'
import { StreamRegistry } from './registry.ts'
import { createSocketSink } from './socket-sink.ts'
import { StreamStarts, type AskedStart } from './stream-starts.ts'

/** The members of a stream that are known before it opens. */
interface StreamRequest {
  readonly filter: StreamFilter
  readonly start: AskedStart
  readonly keyId: string
  /** The number of the key's secret. */
  readonly secret: number
  /** Whether the key has the scope `platform`, which a suspended tenant does not stop. */
  readonly isPlatform: boolean
  readonly expiresAtMs: number | null
}

interface StreamsOptions {
  readonly epochReader: () => EpochReader | undefined
  readonly budget: UnsentBudget
  readonly heartbeatMs: number
  /** How long history is kept, milliseconds. */
  readonly historyMs: () => number
  readonly log: Logger
  /** Numbers from 0 to 1, for the pause before clients reconnect. */
  readonly random: () => number
}

/** A stream is checked against the log's end after it was ahead of this process for this long: another gateway leads by less. */
const BEYOND_MS = 5000
/** Streams that are ended in a second of draining, and the share of the time that there is for it. */
const DRAIN_PER_S = 1000
const DRAIN_SHARE = 0.6

/** The open streams of this process. */
export class Streams {
  readonly registry = new StreamRegistry()
  readonly #o: StreamsOptions
  readonly #starts: StreamStarts
  readonly #heartbeats: Heartbeats
  /** What opened a stream. */
  readonly #keys = new WeakMap<Subscriber, Pick<StreamRequest, 'secret' | 'isPlatform'>>()
  readonly #wasReset = new WeakSet<Subscriber>()
  /** Streams since the start. */
  #opened = 0
  readonly #timer: NodeJS.Timeout

  /** None is open. */
  constructor(o: StreamsOptions) {
    this.#o = o
    this.#starts = new StreamStarts({ ...o, registry: this.registry })
    this.#heartbeats = new Heartbeats({
      hub: () => o.epochReader()?.hub,
      budget: o.budget,
      heartbeatMs: o.heartbeatMs,
      now: () => performance.now(),
      onEnded: (_subscriber, why) => this.registry.countEnd(why),
    })
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
  }

  /** Serves a stream on a socket whose response head was sent. */
  open(request: StreamRequest, epochReader: EpochReader, socket: Socket, chunked: boolean): void {
    const { start } = request
    this.#opened += 1
    const subscriber = new Subscriber({
      number: this.#opened,
      filter: request.filter,
      sink: createSocketSink(socket, chunked),
      keyId: request.keyId,
      fromMs: start.kind === 'time' ? start.atMs : 0,
      expiresAtMs: request.expiresAtMs === null ? null : performance.now() + request.expiresAtMs - Date.now(),
      requested: start.kind === 'id' ? start.id : start.kind === 'time' ? start.text : '',
      partitions: epochReader.hub.ring.position.length,
      nowMs: performance.now(),
    })
    this.registry.add(subscriber, epochReader)
    this.#keys.set(subscriber, request)
    this.#heartbeats.add(subscriber)
    socket.on('drain', () => epochReader.hub.onWritable(subscriber))
    socket.once('close', () => this.#remove(subscriber, epochReader))
    this.#starts.begin(subscriber, epochReader, start)
  }

  /** Ends the streams of stopped keys and tenants, each with its position. */
  endStopped(stopped: Stopped): void {
    for (const subscriber of stopped.type === 'key' ? this.registry.ofKey(stopped.keyId) : this.registry.all()) {
      if (!hasStopped(subscriber, this.#keys.get(subscriber), stopped)) continue
      this.registry.countEnd('revoked')
      // What its client has not taken yet is not sent any more.
      if (this.#sendPosition(subscriber) > 0) subscriber.sink.destroy()
      else subscriber.sink.end()
    }
  }

  /** Sends a stream its position and ends it. */
  closeStream(subscriber: Subscriber, why: CloseReason): void {
    this.#heartbeats.close(subscriber, why)
  }

  /** Ends all streams immediately. */
  endAll(why: string): void {
    for (const subscriber of this.registry.all()) {
      this.registry.countEnd(why)
      subscriber.sink.end()
    }
  }

  /** Ends all streams, each with its position, 1,000 a second, faster when `drainMs` does not leave the time. */
  async drain(drainMs: number): Promise<void> {
    const subscribers = [...this.registry.all()]
    const overMs = Math.min(drainMs * DRAIN_SHARE, (subscribers.length / DRAIN_PER_S) * 1000)
    const startedMs = performance.now()
    for (const [index, subscriber] of subscribers.entries()) {
      const dueMs = startedMs + (overMs * index) / subscribers.length
      const waitMs = dueMs - performance.now()
      if (waitMs > 1) await sleep(waitMs)
      if (this.registry.epochOf(subscriber) === undefined) continue
      this.#sendPosition(subscriber)
      this.registry.countEnd('drained')
      subscriber.sink.end()
    }
  }

  /** Destroys all streams. */
  close(): void {
    clearInterval(this.#timer)
    for (const subscriber of this.registry.all()) subscriber.sink.destroy()
  }

  #remove(subscriber: Subscriber, epochReader: EpochReader): void {
    epochReader.hub.remove(subscriber)
    this.#heartbeats.remove(subscriber)
    this.registry.remove(subscriber)
  }

  #tick(): void {
    this.#heartbeats.tick()
    const epochReader = this.#o.epochReader()
    const ahead = epochReader?.hub.takeAhead(BEYOND_MS) ?? []
    if (epochReader !== undefined && ahead.length > 0) void this.#checkBeyond(epochReader, ahead)
  }

  /** Resets streams whose position is above the log's end (lost records). Above the ring alone, this process only lags. */
  async #checkBeyond(epochReader: EpochReader, ahead: readonly Subscriber[]): Promise<void> {
    try {
      const end = await epochReader.logEnd()
      for (const subscriber of ahead) {
        const isBeyond = subscriber.phase === 'aheadOfLog' && !dominates(end, subscriber.position)
        if (!isBeyond || this.#wasReset.has(subscriber)) continue
        this.#wasReset.add(subscriber)
        void this.#starts.reset(subscriber, epochReader, 'position_beyond_log', epochReader.floor())
      }
    } catch (error) {
      this.#o.log.warn({ err: error }, "the log's end cannot be read")
    }
  }

  /** Sends a stream its position; returns the bytes that are unsent then. */
  #sendPosition(subscriber: Subscriber): number {
    const frame = this.registry.epochOf(subscriber)?.hub.checkpoint(subscriber)
    return frame === undefined ? subscriber.sink.unsentBytes() : subscriber.sink.write(frame)
  }
}

/** Whether a stream was opened by a stopped key or tenant. */
function hasStopped(
  { filter }: Subscriber,
  key: Pick<StreamRequest, 'secret' | 'isPlatform'> | undefined,
  stopped: Stopped,
): boolean {
  switch (stopped.type) {
    case 'key':
      return stopped.secret === undefined || stopped.secret === key?.secret
    case 'tenant':
      return filter.tenant === stopped.tenant && (stopped.withPlatform || key?.isPlatform !== true)
    case 'all':
      return true
  }
}
