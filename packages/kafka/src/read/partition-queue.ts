import { backoffMs, deferred, sleep } from '@ariftly/async'
import type { Logger } from '@ariftly/fault'
import { createBatchSizer, type BatchSize, type BatchSizer } from './batch-sizer.ts'
import type { HandleOutcome, LogBatch, LogGap } from './log-reader-options.ts'
import type { LogRange } from './partition-guard.ts'
import { appendedAtMs } from '../wire/record-batch.ts'
import { readCommitted } from '../wire/record-set.ts'
import type { RecordView } from '../wire/record-view.ts'

/** Options of {@link PartitionQueue}. */
export interface PartitionQueueOptions {
  readonly partition: number
  /** The first offset not yet handled. */
  readonly next: number
  /** A gap at `next`: reported, then skipped with an empty batch, before any record is handled. */
  readonly gap?: LogGap | undefined
  readonly log: Logger
  /** Bounds the records of a batch. Default: no bound. */
  readonly batch?: BatchSize | undefined
  handle(batch: LogBatch, signal: AbortSignal): Promise<HandleOutcome>
  onGap(gap: LogGap): Promise<void>
  /** Called when decoding or handling a batch failed; it is retried. */
  onFailed(): void
}

/** No more is fetched for a partition whose queue retains more than this. */
const BYTES_HIGH = 4 * 1024 * 1024
/** Encoded bytes, and unpacked bytes, that are decoded at a time, unless one batch of the log alone is above. */
const DECODE_BYTES_MAX = 2 * 1024 * 1024
const UNPACKED_BYTES_MAX = 16 * 1024 * 1024
const RETRY = { baseMs: 100, maxMs: 5_000 } as const

/**
 * Fetched, unhandled records of a partition. Decouples fetching from handling: while a handler waits for Postgres the next
 * records are fetched, and are then handled as one batch.
 */
export class PartitionQueue {
  readonly #o: PartitionQueueOptions
  readonly #sizer: BatchSizer | undefined
  readonly #ranges: LogRange[] = []
  #next: number
  #bytes = 0
  /** Decoded, unhandled records of the first ranges. */
  #decoded: LogBatch | undefined
  /** A gap that is not reported yet. */
  #gap: LogGap | undefined
  #changed = deferred()

  constructor(o: PartitionQueueOptions) {
    this.#o = o
    this.#next = o.next
    this.#gap = o.gap
    this.#decoded = o.gap && passed(o.gap)
    this.#sizer = o.batch && createBatchSizer(o.batch)
  }

  /** Bytes retained by waiting records and those being handled. */
  get bytes(): number {
    return this.#bytes
  }

  /** The first offset not yet handled. */
  get next(): number {
    return this.#next
  }

  /** When the record at `next` was appended, epoch milliseconds; undefined when it is not here. */
  get oldestMs(): number | undefined {
    for (const { heads } of this.#ranges) {
      const head = heads.find(({ lastOffset }) => lastOffset >= this.#next)
      if (head !== undefined) return appendedAtMs(head)
    }
    return undefined
  }

  /** Adds a range that follows on the last one. Never waits: the caller waits for `room`. */
  push(range: LogRange): void {
    this.#ranges.push(range)
    this.#bytes += range.retainedBytes
    this.#notify()
  }

  /** Resolves when more may be fetched, or after the signal. */
  async room(signal: AbortSignal): Promise<void> {
    while (this.#bytes > BYTES_HIGH && !signal.aborted) await this.#changed.promise
  }

  /**
   * Handles batches one after another. A failed batch is retried with back-off, with `batch` only its first half. Resolves when
   * a handler says that the stored position has moved, or after the signal. Never rejects.
   */
  async handleAll(signal: AbortSignal): Promise<void> {
    const notify = (): void => this.#notify()
    signal.addEventListener('abort', notify, { once: true })
    for (let failures = 0; !signal.aborted;) {
      if (this.#ranges.length === 0 && this.#decoded === undefined) {
        await this.#changed.promise
        continue
      }
      try {
        const outcome = await this.#handleNext(signal)
        if (outcome.type === 'reread') break
        failures = 0
      } catch (error) {
        if (signal.aborted) break
        this.#o.onFailed()
        const { log, partition } = this.#o
        const pauseMs = backoffMs(failures, RETRY)
        log.warn({ err: error, partition, firstOffset: this.#next, pauseMs }, 'a batch failed, retrying')
        await sleep(pauseMs, signal)
        failures += 1
      }
    }
    signal.removeEventListener('abort', notify)
  }

  async #handleNext(signal: AbortSignal): Promise<HandleOutcome> {
    if (this.#gap !== undefined) await this.#o.onGap(this.#gap)
    this.#gap = undefined
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
    for (let first = this.#ranges[0]; first !== undefined && first.to < this.#next; first = this.#ranges[0]) {
      this.#ranges.shift()
      this.#bytes -= first.retainedBytes
    }
    this.#notify()
  }

  /** The first waiting records, up to the bounds and up to the first batch that cannot be decoded. Throws if that is the first. */
  #decode(): LogBatch {
    const { partition } = this.#o
    const firstOffset = this.#next
    const records: RecordView[] = []
    const room = { encoded: DECODE_BYTES_MAX, unpacked: UNPACKED_BYTES_MAX }
    let lastOffset = firstOffset - 1
    for (const range of this.#ranges) {
      const from = Math.max(range.from, firstOffset)
      const decoded = readCommitted(range.data, range.heads, { partition, from, aborted: range.aborted, room })
      for (const record of decoded.records) records.push(record)
      if (decoded.undecodable !== undefined && decoded.undecodable.head.baseOffset <= firstOffset) {
        throw decoded.undecodable.error
      }
      lastOffset = decoded.stoppedAt === undefined ? range.to : decoded.stoppedAt - 1
      if (decoded.stoppedAt !== undefined || room.encoded <= 0 || room.unpacked <= 0) break
    }
    return { partition, records, firstOffset, lastOffset }
  }

  #notify(): void {
    this.#changed.resolve()
    this.#changed = deferred()
  }
}

/** The empty batch that passes a gap. */
function passed({ partition, expected, found }: LogGap): LogBatch {
  return { partition, records: [], firstOffset: expected, lastOffset: found - 1 }
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
