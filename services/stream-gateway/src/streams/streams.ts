import type { Socket } from 'node:net'
import type { Stopped } from '@ariftly/auth'
import { sleep, type Logger } from '@ariftly/runtime'
import type { EpochReader } from '../epochs/epoch-reader.ts'
import { openingFrame, resetFrame, type ResetReason } from '../frames/control-frames.ts'
import type { StreamFilter } from '../hub/filter.ts'
import type { CloseReason } from '../hub/hub-options.ts'
import { Subscriber } from '../hub/subscriber.ts'
import type { UnsentBudget } from '../hub/unsent-budget.ts'
import { dominates, type OffsetVector } from '../log/offset-vector.ts'
import { positionOfNow, resumeAt } from '../log/start-position.ts'
import { Beginnings } from './beginnings.ts'
import { createHeartbeats, TURN_MS } from './heartbeats.ts'
import { StreamRegistry } from './registry.ts'
import { createSocketSink } from './socket-sink.ts'

/** Where a stream was asked to begin. */
export type AskedStart =
  | { readonly kind: 'now' }
  | {
      readonly kind: 'id'
      readonly id: string
      readonly place: { readonly epoch: number; readonly position: OffsetVector }
    }
  /** `text` is the moment as it was asked for; `atMs` is not in the future. */
  | { readonly kind: 'time'; readonly text: string; readonly atMs: number }

/** What is known of a stream before it opens. */
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

/** What {@link createStreams} needs. */
export interface StreamsOptions {
  epochReader(): EpochReader | undefined
  readonly budget: UnsentBudget
  readonly heartbeatMs: number
  readonly stallMs: number
  /** How long history is kept, milliseconds. */
  readonly historyMs: () => number
  readonly log: Logger
  /** Numbers from 0 to 1, for the pause before clients reconnect. */
  random(): number
}

/** The open streams of this process. */
export interface Streams {
  readonly registry: StreamRegistry
  /** Serves a stream on a socket whose response head was sent. */
  open(request: StreamRequest, epochReader: EpochReader, socket: Socket, chunked: boolean): void
  /** Ends the streams of what has stopped, each with its position. */
  endStopped(this: void, stopped: Stopped): void
  /** Sends a stream its position and ends it. */
  closeStream(this: void, subscriber: Subscriber, why: CloseReason): void
  /** Ends all streams at once. */
  endAll(why: string): void
  /** Ends all streams, each with its position, 1,000 a second, faster when `drainMs` does not leave the time. */
  drain(drainMs: number): Promise<void>
  close(): void
}

/** A position above the log's end for so long is no other gateway's lead. */
const BEYOND_MS = 5000
/** Streams that are ended in a second of draining, and the share of the time that there is for it. */
const DRAIN_PER_S = 1000
const DRAIN_SHARE = 0.6
const RETRY_MS = { min: 1000, max: 3000 } as const

/** Makes the streams of a process; none is open. */
export function createStreams(o: StreamsOptions): Streams {
  const registry = new StreamRegistry()
  const beginnings = new Beginnings({ log: o.log })
  /** What opened a stream. */
  const keys = new WeakMap<Subscriber, Pick<StreamRequest, 'secret' | 'isPlatform'>>()
  const heartbeats = createHeartbeats({
    hub: () => o.epochReader()?.hub,
    budget: o.budget,
    heartbeatMs: o.heartbeatMs,
    stallMs: o.stallMs,
    now: () => performance.now(),
    onEnded: (_subscriber, why) => registry.countEnd(why),
  })
  const wasReset = new WeakSet<Subscriber>()
  /** Streams since the start. */
  let opened = 0
  const timer = setInterval(turn, TURN_MS)

  function open(request: StreamRequest, epochReader: EpochReader, socket: Socket, chunked: boolean): void {
    const { start } = request
    opened += 1
    const subscriber = new Subscriber({
      number: opened,
      filter: request.filter,
      sink: createSocketSink(socket, chunked),
      keyId: request.keyId,
      fromMs: start.kind === 'time' ? start.atMs : 0,
      expiresAtMs: request.expiresAtMs === null ? null : performance.now() + request.expiresAtMs - Date.now(),
      requested: start.kind === 'id' ? start.id : start.kind === 'time' ? start.text : '',
      partitions: epochReader.hub.ring.position.length,
      nowMs: performance.now(),
    })
    registry.add(subscriber, epochReader)
    keys.set(subscriber, request)
    heartbeats.add(subscriber)
    socket.on('drain', () => epochReader.hub.onWritable(subscriber))
    socket.once('close', () => remove(subscriber, epochReader))
    begin(subscriber, epochReader, start)
  }

  function remove(subscriber: Subscriber, epochReader: EpochReader): void {
    epochReader.hub.remove(subscriber)
    heartbeats.remove(subscriber)
    registry.remove(subscriber)
  }

  function begin(subscriber: Subscriber, epochReader: EpochReader, start: AskedStart): void {
    const { hub } = epochReader
    const retryMs = Math.round(RETRY_MS.min + o.random() * (RETRY_MS.max - RETRY_MS.min))
    if (start.kind === 'now') {
      const position = positionOfNow(hub.ring.position, epochReader.endAtStart)
      hub.begin(subscriber, position, openingFrame(retryMs, epochReader.idOf(position)))
      return
    }
    if (start.kind === 'id') {
      const resumed = resumeAt({ epoch: hub.epoch, floor: epochReader.floor(), asked: start.place })
      if (resumed.kind === 'at') {
        const { position } = resumed
        hub.begin(subscriber, position, openingFrame(retryMs, epochReader.idOf(position)))
        return
      }
      subscriber.sink.write(openingFrame(retryMs, undefined))
      void reset(subscriber, epochReader, resumed.reason, resumed.position)
      return
    }
    subscriber.sink.write(openingFrame(retryMs, undefined))
    void beginAtTime(subscriber, epochReader, start.atMs)
  }

  /** Postgres may be away: the stream is open, and its beginning waits. */
  async function beginAtTime(subscriber: Subscriber, epochReader: EpochReader, atMs: number): Promise<void> {
    const oldestMs = Date.now() - o.historyMs()
    if (atMs < oldestMs) {
      await reset(subscriber, epochReader, 'history_expired', epochReader.floor())
      return
    }
    const position = await find(subscriber, () => epochReader.positionAt(atMs))
    if (position === undefined) return
    epochReader.hub.begin(subscriber, position, openingFrame(RETRY_MS.min, epochReader.idOf(position)))
  }

  async function reset(
    subscriber: Subscriber,
    epochReader: EpochReader,
    reason: ResetReason,
    position: OffsetVector,
  ): Promise<void> {
    const earliest = await find(subscriber, async () => ({ ms: await epochReader.earliestMs() }))
    if (earliest === undefined) return
    registry.countEnd('reset')
    const { requested } = subscriber
    const id = epochReader.idOf(position)
    epochReader.hub.begin(subscriber, position, resetFrame({ reason, requested, earliestMs: earliest.ms, id }))
  }

  /** Asks until there is an answer or the client has gone. */
  function find<T>(subscriber: Subscriber, ask: () => Promise<T>): Promise<T | undefined> {
    return beginnings.find(subscriber.filter.tenant, () => registry.epochOf(subscriber) !== undefined, ask)
  }

  function turn(): void {
    heartbeats.turn()
    const epochReader = o.epochReader()
    const ahead = epochReader?.hub.takeAhead(BEYOND_MS) ?? []
    if (epochReader !== undefined && ahead.length > 0) void checkBeyond(epochReader, ahead)
  }

  /** A position above the log's end is of records that the log has lost; one above the ring's only is ahead of this process. */
  async function checkBeyond(epochReader: EpochReader, ahead: readonly Subscriber[]): Promise<void> {
    try {
      const end = await epochReader.logEnd()
      for (const subscriber of ahead) {
        const isBeyond = subscriber.phase === 'aheadOfLog' && !dominates(end, subscriber.position)
        if (!isBeyond || wasReset.has(subscriber)) continue
        wasReset.add(subscriber)
        void reset(subscriber, epochReader, 'position_beyond_log', epochReader.floor())
      }
    } catch (error) {
      o.log.warn({ err: error }, "the log's end cannot be read")
    }
  }

  function endStopped(stopped: Stopped): void {
    for (const subscriber of stopped.type === 'key' ? registry.ofKey(stopped.keyId) : registry.all()) {
      if (!hasStopped(subscriber, stopped)) continue
      registry.countEnd('revoked')
      // What its client has not taken yet is not sent any more.
      if (sendPosition(subscriber) > 0) subscriber.sink.destroy()
      else subscriber.sink.end()
    }
  }

  function hasStopped(subscriber: Subscriber, stopped: Stopped): boolean {
    const key = keys.get(subscriber)
    switch (stopped.type) {
      case 'key':
        return stopped.secret === undefined || stopped.secret === key?.secret
      case 'tenant':
        return subscriber.filter.tenant === stopped.tenant && (stopped.withPlatform || key?.isPlatform !== true)
      case 'all':
        return true
    }
  }

  /** Sends a stream its position; returns the bytes that are unsent then. */
  function sendPosition(subscriber: Subscriber): number {
    const frame = registry.epochOf(subscriber)?.hub.checkpoint(subscriber)
    return frame === undefined ? subscriber.sink.unsentBytes() : subscriber.sink.write(frame)
  }

  function endAll(why: string): void {
    for (const subscriber of registry.all()) {
      registry.countEnd(why)
      subscriber.sink.end()
    }
  }

  async function drain(drainMs: number): Promise<void> {
    const subscribers = [...registry.all()]
    const overMs = Math.min(drainMs * DRAIN_SHARE, (subscribers.length / DRAIN_PER_S) * 1000)
    const startedMs = performance.now()
    for (const [index, subscriber] of subscribers.entries()) {
      const dueMs = startedMs + (overMs * index) / subscribers.length
      const waitMs = dueMs - performance.now()
      if (waitMs > 1) await sleep(waitMs)
      if (registry.epochOf(subscriber) === undefined) continue
      sendPosition(subscriber)
      registry.countEnd('drained')
      subscriber.sink.end()
    }
  }

  return {
    registry,
    open,
    endStopped,
    closeStream: (subscriber, why) => heartbeats.close(subscriber, why),
    endAll,
    drain,
    close() {
      clearInterval(timer)
      for (const subscriber of registry.all()) subscriber.sink.destroy()
    },
  }
}
