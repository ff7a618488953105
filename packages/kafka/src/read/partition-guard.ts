import { retain } from './retain.ts'
import type { AbortedTransaction, FetchedPartition } from '../wire/fetch.ts'
import type { RecordBatchHead } from '../wire/record-batch.ts'
import { readHeads } from '../wire/record-set.ts'

/** A run of offsets without a gap to the previous one. Records are still encoded. */
export interface LogRange {
  readonly from: number
  /** The last offset, control records included. */
  readonly to: number
  readonly data: Buffer
  /** Bytes that `data` keeps in memory. */
  readonly retainedBytes: number
  readonly heads: readonly RecordBatchHead[]
  readonly aborted: readonly AbortedTransaction[]
}

/** Checks the fetched records of one partition: only a contiguous run from `next` passes. */
export class PartitionGuard {
  /** The first offset not yet handed on: where the next read has to begin. */
  #next: number
  /** First offset of a read that jumped; the second equal one is believed. */
  #jumpSeen: number | undefined

  constructor(next: number) {
    this.#next = next
  }

  get next(): number {
    return this.#next
  }

  /**
   * The run of an answer to a fetch from `next`. Undefined when it has none yet; `moved` when the log no longer has the offset,
   * or not yet: then the log's bounds must be read again.
   */
  check(fetched: FetchedPartition): LogRange | undefined | 'moved' {
    if (fetched.outOfRange || fetched.logStart > this.#next) return 'moved'
    const heads = readHeads(fetched.batches, this.#next)
    const [first] = heads
    const last = heads.at(-1)
    if (first === undefined || last === undefined) return undefined
    if (first.baseOffset > this.#next && this.#jumpSeen !== first.baseOffset) {
      this.#jumpSeen = first.baseOffset
      return undefined
    }
    this.#jumpSeen = undefined
    const data = retain(fetched.batches)
    const from = this.#next
    this.#next = last.lastOffset + 1
    const { aborted } = fetched
    return { from, to: last.lastOffset, data, retainedBytes: data.buffer.byteLength, heads, aborted }
  }
}
