import { deferred, sleep, type Semaphore } from '@ariftly/async'
import type { Logger } from '@ariftly/fault'
import { createBatchSizer, type BatchSize, type BatchSizer } from './batch-sizer.ts'
import type { HandleOutcome, LogBatch, LogGap } from './log-reader-options.ts'
import type { LogRange } from './partition-guard.ts'
import { appendedAtMs } from './wire/record-batch.ts'
import { readCommitted } from './wire/record-set.ts'
import type { RecordView } from './wire/record-view.ts'

export interface PartitionQueueOptions {
  readonly partition: number
  /** The first offset not yet handled. */
  readonly next: number
  readonly log: Logger
  /** Cuts what has come into batches of so many records. Default: no cut. */
  readonly batch?: BatchSize | undefined
  handle(batch: LogBatch, signal: AbortSignal): Promise<HandleOutcome>
  hole(gap: LogGap): Promise<void>
  /** Called when a batch could not be decoded or handled and is tried again. */
  onFailed(): void
  /** Limits how many partitions handle at the same time. It is held for one try, not for the pause after it. */
  readonly slots: Semaphore
}

type Item =
  | { readonly type: 'range'; readonly range: LogRange }
  | { readonly type: 'gap'; readonly gap: LogGap; readonly highWatermark: number }

/** No more is fetched for a partition whose queue retains more than this. */
const BYTES_HIGH = 4 * 1024 * 1024
/** Encoded bytes, and unpacked bytes, that are decoded at a time, unless one batch of the log alone is above. */
const DECODE_BYTES_MAX = 2 * 1024 * 1024
const UNPACKED_BYTES_MAX = 16 * 1024 * 1024
const RETRY_MS = 100
const RETRY_MS_MAX = 5_000

/**
 * What was fetched of a partition and is not handled yet. It decouples fetching from handling: while a handler waits for
 * Postgres the next records are fetched, and what came meanwhile is handled as one batch.
 */
export class PartitionQueue {
  readonly #o: PartitionQueueOptions
  readonly #sizer: BatchSizer | undefined
  #items: Item[] = []
  #next: number
  #bytes = 0
  /** What was decoded of the first items and is not handled yet. */
  #decoded: LogBatch | undefined
  #toldGap: LogGap | undefined
  #changed = deferred()

  constructor(o: PartitionQueueOptions) {
    this.#o = o
    this.#next = o.next
    this.#sizer = o.batch && createBatchSizer(o.batch)
  }

  /** Bytes that are retained for what waits or is being handled. */
  get bytes(): number {
    return this.#bytes
  }

  /** The first offset not yet handled. */
  get next(): number {
    return this.#next
  }

  /** When the record at `next` was appended, epoch milliseconds; undefined when it is not here. */
  get oldestMs(): number | undefined {
    for (const item of this.#items) {
      const head = item.type === 'gap' ? undefined : item.range.heads.find(({ lastOffset }) => lastOffset >= this.#next)
      if (head !== undefined) return appendedAtMs(head)
    }
    return undefined
  }

  /** Adds a range that follows on the last one. Never waits: the caller waits for `room`. */
  push(range: LogRange): void {
    this.#items.push({ type: 'range', range })
    this.#bytes += range.retainedBytes
    this.#notify()
  }

  /** Adds records that are gone; `gap.found` follows. */
  pushGap(gap: LogGap, highWatermark: number): void {
    this.#items.push({ type: 'gap', gap, highWatermark })
    this.#notify()
  }

  /** Resolves when more may be fetched, or after the signal. */
  async room(signal: AbortSignal): Promise<void> {
    while (this.#bytes > BYTES_HIGH && !signal.aborted) await this.#changed.promise
  }

  /**
   * Handles what comes, one batch after another; a batch that fails comes again, with `batch` its first half, after a pause
   * that grows. Resolves when the stored position moved under us, or after the signal. Never rejects.
   */
  async handleAll(signal: AbortSignal): Promise<void> {
    const notify = (): void => this.#notify()
    signal.addEventListener('abort', notify, { once: true })
    for (let pauseMs = RETRY_MS; !signal.aborted;) {
      if (this.#items.length === 0) {
        await this.#changed.promise
        continue
      }
      try {
        const outcome = await this.#handleInSlot(signal)
        if (outcome.type === 'reread') break
        pauseMs = RETRY_MS
      } catch (error) {
        if (signal.aborted) break
        this.#o.onFailed()
        const { log, partition } = this.#o
        log.warn({ err: error, partition, firstOffset: this.#next, pauseMs }, 'a batch failed and is tried again')
        await sleep(pauseMs, signal)
        pauseMs = Math.min(2 * pauseMs, RETRY_MS_MAX)
      }
    }
    signal.removeEventListener('abort', notify)
  }

  async #handleInSlot(signal: AbortSignal): Promise<HandleOutcome> {
    await this.#o.slots.acquire()
    try {
      return await this.#handleNext(signal)
    } finally {
      this.#o.slots.release()
    }
  }

  async #handleNext(signal: AbortSignal): Promise<HandleOutcome> {
    signal.throwIfAborted()
    const [first] = this.#items
    if (first?.type === 'gap' && this.#toldGap !== first.gap) {
      await this.#o.hole(first.gap)
      this.#toldGap = first.gap
    }
    this.#decoded ??= this.#decode()
    const [batch, rest] = cut(this.#decoded, this.#sizer?.records ?? Number.POSITIVE_INFINITY)
    const startedMs = performance.now()
    let outcome: HandleOutcome
    try {
      outcome = await this.#o.handle(batch, signal)
    } catch (error) {
      this.#sizer?.failed()
      throw error
    }
    this.#sizer?.done(batch.records.length, performance.now() - startedMs)
    if (outcome.type === 'reread') return outcome
    this.#next = batch.lastOffset + 1
    this.#decoded = rest
    this.#dropHandled()
    return outcome
  }

  #dropHandled(): void {
    for (let first = this.#items[0]; first !== undefined && lastOffsetOf(first) < this.#next; first = this.#items[0]) {
      this.#items.shift()
      if (first.type === 'range') this.#bytes -= first.range.retainedBytes
    }
    this.#notify()
  }

  /**
   * The first records that wait, up to the bounds, and up to the first batch that cannot be decoded. Throws when that batch
   * is the first.
   */
  #decode(): LogBatch {
    const { partition } = this.#o
    const firstOffset = this.#next
    const records: RecordView[] = []
    const room = { encoded: DECODE_BYTES_MAX, unpacked: UNPACKED_BYTES_MAX }
    let lastOffset = firstOffset - 1
    let highWatermark = 0
    for (const item of this.#items) {
      if (item.type === 'gap') {
        if (lastOffset >= firstOffset) break
        return { partition, records, firstOffset, lastOffset: item.gap.found - 1, highWatermark: item.highWatermark }
      }
      const { range } = item
      const from = Math.max(range.from, firstOffset)
      const decoded = readCommitted(range.data, range.heads, { partition, from, aborted: range.aborted, room })
      for (const record of decoded.records) records.push(record)
      highWatermark = range.highWatermark
      if (decoded.undecodable !== undefined && decoded.undecodable.head.baseOffset <= firstOffset) {
        throw decoded.undecodable.error
      }
      lastOffset = decoded.stoppedAt === undefined ? range.to : decoded.stoppedAt - 1
      if (decoded.stoppedAt !== undefined || room.encoded <= 0 || room.unpacked <= 0) break
    }
    return { partition, records, firstOffset, lastOffset, highWatermark }
  }

  #notify(): void {
    this.#changed.resolve()
    this.#changed = deferred()
  }
}

function lastOffsetOf(item: Item): number {
  return item.type === 'gap' ? item.gap.found - 1 : item.range.to
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
