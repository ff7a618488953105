import { setTimeout as delay } from 'node:timers/promises'
import { createBatchSizer, type BatchSize } from './batch-sizer.ts'
import type { Logger } from '@ariftly/fault'
import type { HandleOutcome, LogBatch, LogGap } from './log-reader-options.ts'
import type { LogRange } from './partition-guard.ts'
import { appendedAtMs } from './wire/record-batch.ts'
import { readCommitted } from './wire/record-set.ts'
import type { RecordView } from './wire/record-view.ts'

/** Bytes of encoded records that go to one turn, and without a `batch` to one call of the handler, unless one range alone is above. */
const BATCH_BYTES_MAX = 2 * 1024 * 1024
const RETRY_MS = 100
const RETRY_MS_MAX = 5_000

export interface PartitionLane {
  /** Adds a range that follows on the last one. Never waits: the caller looks at `bytes`. */
  push(range: LogRange): void
  /** Adds records that are gone; `gap.found` follows. */
  pushGap(gap: LogGap, highWatermark: number): void
  /** Encoded bytes that wait or are being handled. */
  readonly bytes: number
  /** The first offset not yet handled. */
  readonly next: number
  /** When the record at `next` was appended, epoch milliseconds; undefined when it is not here. */
  readonly oldestMs: number | undefined
  readonly busy: boolean
  /** Takes no more, aborts the handler's signal. Resolves when the handler has ended. */
  stop(): Promise<void>
}

export interface LaneOptions {
  readonly partition: number
  readonly next: number
  readonly log: Logger
  /** Cuts what has come into batches of so many records. Default: no cut. */
  readonly batch?: BatchSize | undefined
  handle(batch: LogBatch, signal: AbortSignal): Promise<HandleOutcome>
  hole(gap: LogGap): Promise<void>
  /** The stored position moved under us; the lane is dead from now on. */
  onReread(): void
  /** Records could not be decoded, or a handler threw; it is tried again. */
  onFailed(): void
  /** A batch is done: the lane may have room again. */
  onDone(): void
  /** Limits how many lanes handle at the same time. */
  readonly withSlot: <T>(work: () => Promise<T>) => Promise<T>
}

type Item =
  | { readonly type: 'range'; readonly range: LogRange }
  | { readonly type: 'gap'; readonly gap: LogGap; readonly highWatermark: number }

/**
 * The queue of one partition between the consumer and the handler. It decouples them: the consumer goes on fetching (and
 * beating its heart) while a handler waits for Postgres, and what arrives meanwhile is handled as one batch.
 */
export function createPartitionLane(o: LaneOptions): PartitionLane {
  const stopping = new AbortController()
  const { signal } = stopping
  const sizer = o.batch && createBatchSizer(o.batch)
  let items: Item[] = []
  /** What the handler has now. */
  let handling: readonly Item[] = []
  let { next } = o
  let bytes = 0
  let working: Promise<void> | undefined

  function add(item: Item): void {
    if (signal.aborted) return
    items.push(item)
    bytes += bytesOf(item)
    working ??= work()
  }

  async function work(): Promise<void> {
    // A turn of the event loop first: what one answer brought for this partition is taken together.
    await Promise.resolve()
    while (items.length > 0 && !signal.aborted) {
      const taken = take()
      handling = taken
      const outcome = await o.withSlot(() => handleItems(taken))
      handling = []
      if (outcome === 'aborted') break
      if (outcome.type === 'reread') {
        items = []
        stopping.abort()
        o.onReread()
        break
      }
      bytes -= taken.reduce((sum, item) => sum + bytesOf(item), 0)
      o.onDone()
    }
    working = undefined
  }

  function take(): Item[] {
    const [first, ...rest] = items
    if (first === undefined) return []
    const taken = [first]
    let size = bytesOf(first)
    for (const item of rest) {
      if (first.type === 'gap' || item.type === 'gap' || size + bytesOf(item) > BATCH_BYTES_MAX) break
      taken.push(item)
      size += bytesOf(item)
    }
    items = items.slice(taken.length)
    return taken
  }

  async function handleItems(taken: readonly Item[]): Promise<HandleOutcome | 'aborted'> {
    let gaps = taken.flatMap((item) => (item.type === 'gap' ? [item.gap] : []))
    let rest: LogBatch | undefined
    for (let pauseMs = RETRY_MS; !signal.aborted;) {
      let batch: LogBatch | undefined
      try {
        rest ??= toBatch(o.partition, next, taken)
        const [first, more] = cut(rest, sizer?.records ?? Number.POSITIVE_INFINITY)
        batch = first
        for (const gap of gaps) await o.hole(gap)
        gaps = []
        const outcome = await handle(batch)
        if (outcome.type === 'reread') return outcome
        if (more === undefined && next > (lastOffsetOf(taken.at(-1)) ?? 0)) return outcome
        rest = more
        pauseMs = RETRY_MS
      } catch (error) {
        if (signal.aborted) break
        if (batch) sizer?.failed()
        o.onFailed()
        const lastOffset = batch?.lastOffset ?? lastOffsetOf(taken.at(-1)) ?? next
        o.log.warn(
          { err: error, partition: o.partition, firstOffset: next, lastOffset, pauseMs },
          'a batch failed and is tried again',
        )
        await delay(pauseMs, undefined, { signal }).catch(() => {})
        pauseMs = Math.min(2 * pauseMs, RETRY_MS_MAX)
      }
    }
    return 'aborted'
  }

  async function handle(batch: LogBatch): Promise<HandleOutcome> {
    const startedMs = performance.now()
    const outcome = await o.handle(batch, signal)
    if (outcome.type === 'done') next = batch.lastOffset + 1
    sizer?.done(batch.records.length, performance.now() - startedMs)
    return outcome
  }

  return {
    push: (range) => add({ type: 'range', range }),
    pushGap: (gap, highWatermark) => add({ type: 'gap', gap, highWatermark }),
    get bytes() {
      return bytes
    },
    get next() {
      return next
    },
    get oldestMs() {
      for (const item of [...handling, ...items]) {
        const head = item.type === 'gap' ? undefined : item.range.heads.find(({ lastOffset }) => lastOffset >= next)
        if (head !== undefined) return appendedAtMs(head)
      }
      return undefined
    },
    get busy() {
      return working !== undefined
    },
    async stop() {
      stopping.abort()
      items = []
      await working
    },
  }
}

function bytesOf(item: Item): number {
  return item.type === 'gap' ? 0 : item.range.data.length
}

function lastOffsetOf(item: Item | undefined): number | undefined {
  return item?.type === 'gap' ? item.gap.found - 1 : item?.range.to
}

/** The first records of a batch, and what follows them. */
function cut(batch: LogBatch, records: number): [LogBatch, LogBatch | undefined] {
  const last = batch.records.length > records ? batch.records[records - 1] : undefined
  if (last === undefined) return [batch, undefined]
  return [
    { ...batch, records: batch.records.slice(0, records), lastOffset: last.offset },
    { ...batch, records: batch.records.slice(records), firstOffset: last.offset + 1 },
  ]
}

/**
 * The records from `firstOffset` on, up to the first batch that cannot be decoded (a codec that we do not have, or bytes that
 * are none). Throws when that batch is the first.
 */
function toBatch(partition: number, firstOffset: number, items: readonly Item[]): LogBatch {
  const records: RecordView[] = []
  for (const item of items) {
    if (item.type === 'gap') continue
    const { data, heads, aborted, from, highWatermark } = item.range
    const decoded = readCommitted(data, heads, { partition, from: Math.max(from, firstOffset), aborted })
    for (const record of decoded.records) records.push(record)
    if (decoded.undecodable === undefined) continue
    const { head, error } = decoded.undecodable
    if (head.baseOffset <= firstOffset) throw error
    return { partition, records, firstOffset, lastOffset: head.baseOffset - 1, highWatermark }
  }
  const last = items.at(-1)
  if (last === undefined) return { partition, records, firstOffset, lastOffset: firstOffset - 1, highWatermark: 0 }
  const lastOffset = lastOffsetOf(last) ?? firstOffset - 1
  const highWatermark = last.type === 'gap' ? last.highWatermark : last.range.highWatermark
  return { partition, records, firstOffset, lastOffset, highWatermark }
}
