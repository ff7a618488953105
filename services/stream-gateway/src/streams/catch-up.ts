import type { HistoryPartition } from '@ariftly/store/streams'
import type { Subscriber } from './subscriber.ts'
import { dataFor, matches } from './filter.ts'
import { renderFrame } from '../frames/frames.ts'
import { mergeHistory } from '../log/history-page.ts'
import type { HubCounts, HubOptions } from './hub-options.ts'
import { dominates, raise, type OffsetVector } from '../log/offset-vector.ts'
import { dataOf, sharedChunk } from '../frames/record-data.ts'
import type { Ring, RingRecord } from '../log/ring.ts'

/** What {@link createCatchUp} needs of the hub. */
export interface CatchUpOptions extends HubOptions {
  readonly ring: Ring
  readonly counts: HubCounts
  /** Asks for a tick. */
  wake(): void
  /** Puts a client whose position the ring dominates into the index. */
  goLive(client: Subscriber): void
}

/** Brings clients from their own position to the ring's end. */
export interface CatchUp {
  /** The projection's position as last heard of; Infinity before. */
  readonly projected: OffsetVector
  start(client: Subscriber): void
  forget(client: Subscriber): void
  drained(client: Subscriber): void
  setProjected(position: OffsetVector): void
  /** The ring has new records or a new position. */
  ringMoved(): void
  /** One round of slices; true when there is more to do at once. */
  run(): boolean
  /** Whether a client waits for the projection. */
  isHolding(): boolean
  aheadSince(ageMs: number): Subscriber[]
}

/** Bytes and records of one client's slice, so that a round stays short and the live clients are not held up. */
const SLICE_BYTES = 64 * 1024
const SLICE_RECORDS = 20_000
/** Length of a round, ms. */
const ROUND_MS = 4

/**
 * Each client that is not live has a position of its own and gets its own frames: pages from Postgres until the ring covers
 * the position, then the ring in dispatch order, and in the tick in which it stands at the ring's end and the ring's
 * position dominates its own it goes live. What is in neither place is waited for (`held`). A client whose socket is full
 * waits until it is drained. Nothing is ever skipped.
 */
export function createCatchUp(o: CatchUpOptions): CatchUp {
  const { ring, counts } = o
  const projected = new Float64Array(ring.position.length).fill(Infinity)
  let queue: Subscriber[] = []
  const ahead = new Set<Subscriber>()
  const held = new Set<Subscriber>()
  const readers: Subscriber[] = []
  let reading = 0

  function start(client: Subscriber): void {
    client.phase = 'pulling'
    enqueue(client)
  }

  function enqueue(client: Subscriber): void {
    if (client.queued) return
    client.queued = true
    queue.push(client)
    o.wake()
  }

  function forget(client: Subscriber): void {
    ahead.delete(client)
    held.delete(client)
  }

  function drained(client: Subscriber): void {
    if (client.phase === 'pulling') enqueue(client)
  }

  function setProjected(position: OffsetVector): void {
    projected.set(position)
    for (const client of held) {
      if (!dominates(client.position, projected)) enqueue(client)
    }
  }

  function ringMoved(): void {
    for (const client of ahead) enqueue(client)
  }

  function run(): boolean {
    const untilMs = o.now() + ROUND_MS
    while (queue.length > 0) {
      const round = queue
      queue = []
      for (const [index, client] of round.entries()) {
        if (index > 0 && o.now() > untilMs) {
          queue = [...round.slice(index), ...queue]
          return true
        }
        client.queued = false
        step(client)
      }
      if (o.now() > untilMs) break
    }
    return queue.length > 0
  }

  /** One slice of one client. */
  function step(client: Subscriber): void {
    if (client.phase !== 'pulling' && client.phase !== 'held') return
    held.delete(client)
    client.phase = 'pulling'
    if (!client.sink.hasRoom()) return
    if (ring.covers(client.position)) walk(client)
    else if (!dominates(client.position, projected)) readPage(client)
    else hold(client)
  }

  function hold(client: Subscriber): void {
    ahead.delete(client)
    client.phase = 'held'
    client.heldSinceMs = o.now()
    held.add(client)
  }

  /** Walks the ring from the client's position, in dispatch order, as far as a slice reaches; live when it comes to the end. */
  function walk(client: Subscriber): void {
    const { position, filter } = client
    const sharedFrom = ring.sharedFrom(position)
    const blocks: Buffer[] = []
    let bytes = 0
    let seq = ring.seqFrom(position)
    const endSeq = Math.min(ring.endSeq, seq + SLICE_RECORDS)
    for (; seq < endSeq && bytes < SLICE_BYTES; seq += 1) {
      const record = ring.at(seq)
      if (record === undefined || record.offset < (position[record.partition] ?? 0)) continue
      position[record.partition] = record.offset + 1
      if (!matches(filter, record) || record.appendedAtMs < client.fromMs) continue
      const chunk = seq >= sharedFrom ? sharedChunk(record, filter) : ownChunk(client, record)
      blocks.push(chunk)
      bytes += chunk.length
    }
    send(client, blocks)
    if (seq < ring.endSeq) enqueue(client)
    else arrive(client)
  }

  /** The client has seen the whole ring. */
  function arrive(client: Subscriber): void {
    raise(client.position, ring.position)
    if (dominates(ring.position, client.position)) {
      ahead.delete(client)
      // A full socket is served by pull until it has room.
      if (client.sink.hasRoom()) o.goLive(client)
    } else if (!ahead.has(client)) {
      client.aheadSinceMs = o.now()
      ahead.add(client)
    }
  }

  function ownChunk(client: Subscriber, record: RingRecord): Buffer {
    return renderOwn(client, record.type, dataOf(record, client.filter))
  }

  function renderOwn(client: Subscriber, event: string, data: Buffer): Buffer {
    return renderFrame({ event, data, id: o.ids.seal({ epoch: o.epoch, position: client.position }) }).chunk
  }

  function send(client: Subscriber, blocks: readonly Buffer[]): void {
    const [only] = blocks
    if (only === undefined) return
    const block = blocks.length === 1 ? only : Buffer.concat(blocks)
    client.sentVersion = -1
    client.sink.write(block)
    counts.delivered += blocks.length
    counts.deliveredBytes += block.length
    counts.writes += 1
  }

  function readPage(client: Subscriber): void {
    ahead.delete(client)
    client.phase = 'history'
    readers.push(client)
    readMore()
  }

  /** A bounded number of pages is read at the same time: each may hold megabytes. */
  function readMore(): void {
    while (reading < o.historyReadsMax) {
      const client = readers.shift()
      if (client === undefined) return
      if (client.phase !== 'history') continue
      reading += 1
      const position = Float64Array.from(client.position)
      o.readHistory(client.filter, position).then(
        (pages) => finish(client, position, pages),
        (error: unknown) => {
          o.onHistoryError?.(error)
          finish(client, position, undefined)
        },
      )
    }
  }

  function finish(
    client: Subscriber,
    asked: OffsetVector,
    pages: ReadonlyMap<number, HistoryPartition> | undefined,
  ): void {
    reading -= 1
    readMore()
    // Closed, or restarted at another position meanwhile.
    if (client.phase !== 'history' || !samePosition(client.position, asked)) return
    if (pages === undefined) {
      hold(client)
      return
    }
    counts.historyPages += 1
    showPage(client, pages)
    client.phase = 'pulling'
    enqueue(client)
  }

  function showPage(client: Subscriber, pages: ReadonlyMap<number, HistoryPartition>): void {
    const blocks: Buffer[] = []
    const { filter } = client
    mergeHistory(pages, client.position, function show(row) {
      if (row.appendedAtMs < client.fromMs) return
      blocks.push(renderOwn(client, row.type, dataFor(filter, { ...row, tenant: filter.tenant })))
    })
    for (const partition of projected.keys()) projected[partition] = pages.get(partition)?.nextOffset ?? 0
    send(client, blocks)
  }

  function aheadSince(ageMs: number): Subscriber[] {
    const latestMs = o.now() - ageMs
    return [...ahead].filter((client) => client.aheadSinceMs <= latestMs)
  }

  return { projected, start, forget, drained, setProjected, ringMoved, run, isHolding: () => held.size > 0, aheadSince }
}

function samePosition(a: OffsetVector, b: OffsetVector): boolean {
  return dominates(a, b) && dominates(b, a)
}
