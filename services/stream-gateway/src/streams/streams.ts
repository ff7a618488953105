import type { Socket } from 'node:net'
import { sleep, type Logger } from '@ariftly/runtime'
import { Subscriber } from './subscriber.ts'
import { openingFrame, resetFrame, type ResetReason } from '../frames/control-frames.ts'
import type { StreamFilter } from './filter.ts'
import type { EpochReader } from '../log/epoch-reader.ts'
import { positionOfNow } from './hub.ts'
import { dominates, type OffsetVector } from '../log/offset-vector.ts'
import { createSocketSink } from './socket-sink.ts'
import { resumeAt } from '../log/start-position.ts'
import { createHeartbeats, TURN_MS } from './heartbeats.ts'

/** Where a stream was asked to begin. */
export type AskedStart =
  | { readonly kind: 'now' }
  | {
      readonly kind: 'id'
      readonly id: string
      readonly place: { readonly epoch: number; readonly position: OffsetVector }
    }
  | { readonly kind: 'time'; readonly text: string; readonly atMs: number }

/** What is known of a stream before it opens. */
interface StreamRequest {
  readonly filter: StreamFilter
  readonly start: AskedStart
  readonly keyId: string
  readonly expiresAtMs: number | null
}

/** What {@link createStreams} needs. */
export interface StreamsOptions {
  epochReader(): EpochReader | undefined
  readonly heartbeatMs: number
  readonly stallMs: number
  readonly historyMs: number
  readonly log: Logger
  /** Numbers from 0 to 1, for the pause before clients come back. */
  random(): number
}

/** The open streams of this process. */
export interface Streams {
  readonly size: number
  ofKey(keyId: string): number
  ofTenant(tenant: string): number
  /** Streams that were ended here, by why. */
  readonly ended: ReadonlyMap<string, number>
  /** Serves a stream on a socket whose response head was sent. */
  open(request: StreamRequest, epochReader: EpochReader, socket: Socket, chunked: boolean): void
  /** Ends the streams of a key. */
  endKey(this: void, keyId: string): void
  /** Ends all streams at once. */
  endAll(why: string): void
  /** Ends all streams, spread over `overMs`, each with its position. */
  drain(overMs: number): Promise<void>
  close(): void
}

/** A position above the log's end for so long is no other gateway's lead. */
const BEYOND_MS = 5000
const RETRY_MS = { min: 1000, max: 3000 } as const

export function createStreams(o: StreamsOptions): Streams {
  const all = new Map<Subscriber, EpochReader>()
  const byKey = new Map<string, Set<Subscriber>>()
  const perTenant = new Map<string, number>()
  const ended = new Map<string, number>()
  const heartbeats = createHeartbeats({
    hub: () => o.epochReader()?.hub,
    heartbeatMs: o.heartbeatMs,
    stallMs: o.stallMs,
    now: () => performance.now(),
    onEnded: (_client, why) => countEnd(why),
  })
  const beyond = new WeakSet<Subscriber>()
  const timer = setInterval(turn, TURN_MS)

  function open(request: StreamRequest, epochReader: EpochReader, socket: Socket, chunked: boolean): void {
    const { start } = request
    const client = new Subscriber({
      filter: request.filter,
      sink: createSocketSink(socket, chunked),
      keyId: request.keyId,
      fromMs: start.kind === 'time' ? start.atMs : 0,
      expiresAtMs: request.expiresAtMs === null ? null : performance.now() + request.expiresAtMs - Date.now(),
      requested: start.kind === 'id' ? start.id : start.kind === 'time' ? start.text : '',
      partitions: epochReader.hub.ring.position.length,
      nowMs: performance.now(),
    })
    all.set(client, epochReader)
    const ofKey = byKey.get(client.keyId)
    if (ofKey === undefined) byKey.set(client.keyId, new Set([client]))
    else ofKey.add(client)
    countTenant(client, 1)
    heartbeats.add(client)
    epochReader.hub.register(client)
    socket.on('drain', () => epochReader.hub.drained(client))
    socket.once('close', () => remove(client, epochReader))
    begin(client, epochReader, start)
  }

  function remove(client: Subscriber, epochReader: EpochReader): void {
    epochReader.hub.remove(client)
    heartbeats.remove(client)
    all.delete(client)
    const ofKey = byKey.get(client.keyId)
    ofKey?.delete(client)
    if (ofKey?.size === 0) byKey.delete(client.keyId)
    countTenant(client, -1)
  }

  function countTenant({ filter: { tenant } }: Subscriber, by: 1 | -1): void {
    const count = (perTenant.get(tenant) ?? 0) + by
    if (count === 0) perTenant.delete(tenant)
    else perTenant.set(tenant, count)
  }

  function begin(client: Subscriber, epochReader: EpochReader, start: AskedStart): void {
    const { hub } = epochReader
    const retryMs = Math.round(RETRY_MS.min + o.random() * (RETRY_MS.max - RETRY_MS.min))
    if (start.kind === 'now') {
      const position = positionOfNow(hub.ring, epochReader.endAtStart)
      hub.begin(client, position, openingFrame(retryMs, epochReader.idOf(position)))
      return
    }
    if (start.kind === 'id') {
      const resumed = resumeAt({ epoch: hub.epoch, floor: epochReader.floor(), asked: start.place })
      if (resumed.kind === 'at') {
        hub.begin(client, resumed.position, openingFrame(retryMs, epochReader.idOf(resumed.position)))
        return
      }
      client.sink.write(openingFrame(retryMs, undefined))
      void reset(client, epochReader, resumed.reason, resumed.position)
      return
    }
    client.sink.write(openingFrame(retryMs, undefined))
    void beginAtTime(client, epochReader, start.atMs)
  }

  /** Postgres may be away: the stream is open, and its beginning waits. */
  async function beginAtTime(client: Subscriber, epochReader: EpochReader, atMs: number): Promise<void> {
    const oldestMs = Date.now() - o.historyMs
    if (atMs < oldestMs) {
      await reset(client, epochReader, 'history_expired', epochReader.floor())
      return
    }
    const position = await insist(client, () => epochReader.positionAt(Math.min(atMs, Date.now())))
    if (position !== undefined)
      epochReader.hub.begin(client, position, openingFrame(RETRY_MS.min, epochReader.idOf(position)))
  }

  async function reset(
    client: Subscriber,
    epochReader: EpochReader,
    reason: ResetReason,
    position: OffsetVector,
  ): Promise<void> {
    const earliestMs = await insist(client, async () => ({ ms: await epochReader.earliestMs() }))
    if (earliestMs === undefined) return
    countEnd('reset')
    const id = epochReader.idOf(position)
    epochReader.hub.begin(
      client,
      position,
      resetFrame({ reason, requested: client.requested, earliestMs: earliestMs.ms, id }),
    )
  }

  /** Asks until there is an answer or the client has gone. */
  async function insist<T>(client: Subscriber, ask: () => Promise<T>): Promise<T | undefined> {
    let logged = false
    while (client.phase !== 'closed') {
      try {
        return await ask()
      } catch (error) {
        if (!logged) o.log.warn({ err: error }, "a stream's beginning cannot be read yet")
        logged = true
        await sleep(500)
      }
    }
    return undefined
  }

  function turn(): void {
    heartbeats.turn()
    const epochReader = o.epochReader()
    const ahead = epochReader?.hub.aheadSince(BEYOND_MS) ?? []
    if (epochReader !== undefined && ahead.length > 0) void checkBeyond(epochReader, ahead)
  }

  /** A position above the log's end is of records that the log has lost; one above the ring's only is ahead of this process. */
  async function checkBeyond(epochReader: EpochReader, ahead: readonly Subscriber[]): Promise<void> {
    const nowMs = performance.now()
    for (const client of ahead) client.aheadSinceMs = nowMs
    try {
      const end = await epochReader.logEnd()
      for (const client of ahead) {
        if (client.phase !== 'pulling' || beyond.has(client) || dominates(end, client.position)) continue
        beyond.add(client)
        void reset(client, epochReader, 'position_beyond_log', epochReader.floor())
      }
    } catch (error) {
      o.log.warn({ err: error }, "the log's end cannot be read")
    }
  }

  function endKey(keyId: string): void {
    for (const client of byKey.get(keyId) ?? []) {
      countEnd('revoked')
      client.sink.destroy()
    }
  }

  function endAll(why: string): void {
    for (const client of all.keys()) {
      countEnd(why)
      client.sink.end()
    }
  }

  async function drain(overMs: number): Promise<void> {
    const clients = [...all]
    const startedMs = performance.now()
    for (const [index, [client, epochReader]] of clients.entries()) {
      const dueMs = startedMs + (overMs * index) / clients.length
      const waitMs = dueMs - performance.now()
      if (waitMs > 1) await sleep(waitMs)
      goodbye(client, epochReader)
    }
  }

  function goodbye(client: Subscriber, epochReader: EpochReader): void {
    if (client.phase === 'closed') return
    const frame = epochReader.hub.checkpoint(client)
    if (frame !== undefined) client.sink.write(frame)
    countEnd('drained')
    client.sink.end()
  }

  function countEnd(why: string): void {
    ended.set(why, (ended.get(why) ?? 0) + 1)
  }

  return {
    get size() {
      return all.size
    },
    ofKey: (keyId) => byKey.get(keyId)?.size ?? 0,
    ofTenant: (tenant) => perTenant.get(tenant) ?? 0,
    ended,
    open,
    endKey,
    endAll,
    drain,
    close() {
      clearInterval(timer)
      for (const client of all.keys()) client.sink.destroy()
    },
  }
}
