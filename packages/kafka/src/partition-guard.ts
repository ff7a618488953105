import { recordId } from '@ariftly/events'
import { retain } from './retain.ts'
import type { AbortedTransaction, FetchedPartition } from './wire/fetch.ts'
import type { RecordBatchHead } from './wire/record-batch.ts'
import { readCommitted, readHeads } from './wire/record-set.ts'

/** A run of offsets that follows without a gap on what was handed on before. Records are still encoded. */
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

/**
 * What to do with one answer of the broker.
 *
 * - `again`: it holds nothing to hand on; read again from `readFrom`.
 * - `accept`: hand on `range`.
 * - `moved`: the log no longer has the offset, or does not have it yet; find out anew where it begins and ends.
 * - `otherLog`: the record that was read last is not the one that stands there now.
 */
type Verdict =
  | { readonly type: 'again' | 'moved' }
  | { readonly type: 'accept'; readonly range: LogRange }
  | { readonly type: 'otherLog'; readonly detail: Readonly<Record<string, unknown>> }

export interface PartitionGuard {
  /** Where the next read has to begin. */
  readonly readFrom: number
  /** The first offset not yet handed on. */
  readonly next: number
  /** Judges an answer to a read from `readFrom`. */
  judge(fetched: FetchedPartition): Verdict
}

const AGAIN = { type: 'again' } as const
const MOVED = { type: 'moved' } as const

/**
 * Checks what is read of one partition: only an unbroken run from `next` is handed on. Pure.
 *
 * With `verify` the first read begins at the last record handled, whose id must be the stored one (design 4.4): a wiped
 * broker, or another cluster, has something else there. What looks wrong is read a second time before it is believed.
 */
export function createPartitionGuard(o: {
  readonly partition: number
  readonly next: number
  readonly verify: { readonly offset: number; readonly id: string } | null
}): PartitionGuard {
  let { next, verify } = o
  /** First offset of a read that jumped; the second equal one is believed. */
  let jumpSeen: number | null = null
  let mismatchSeen = false

  const readFrom = (): number => verify?.offset ?? next

  function judge(fetched: FetchedPartition): Verdict {
    if (fetched.outOfRange) return MOVED
    if (verify !== null && fetched.logStart > verify.offset) {
      verify = null
      return AGAIN
    }
    const heads = readHeads(fetched.batches, readFrom())
    const first = heads[0]
    if (first === undefined) return AGAIN
    return verify === null ? follow(first, heads, fetched) : checkIdentity(verify, heads, fetched)
  }

  function follow(first: RecordBatchHead, heads: readonly RecordBatchHead[], fetched: FetchedPartition): Verdict {
    if (fetched.logStart > next) return MOVED
    if (first.baseOffset > next && jumpSeen !== first.baseOffset) {
      jumpSeen = first.baseOffset
      return AGAIN
    }
    jumpSeen = null
    const range = rangeFrom(next, heads, fetched)
    next = range.to + 1
    return { type: 'accept', range }
  }

  function checkIdentity(
    expected: { readonly offset: number; readonly id: string },
    heads: readonly RecordBatchHead[],
    fetched: FetchedPartition,
  ): Verdict {
    const { records, undecodable } = readCommitted(fetched.batches, heads.slice(0, 1), {
      partition: o.partition,
      from: expected.offset,
      aborted: [],
    })
    // It was read once: that it cannot be decoded now says nothing about which log this is.
    if (undecodable !== undefined) throw undecodable.error
    const record = records[0]?.offset === expected.offset ? records[0] : undefined
    const found = record === undefined ? null : (recordId(record) ?? null)
    if (found !== expected.id) {
      if (mismatchSeen) {
        const detail = { partition: o.partition, offset: expected.offset, expectedId: expected.id, foundId: found }
        return { type: 'otherLog', detail }
      }
      mismatchSeen = true
      return AGAIN
    }
    verify = null
    const rest = heads.filter((head) => head.lastOffset >= next)
    const first = rest[0]
    return first === undefined ? AGAIN : follow(first, rest, fetched)
  }

  return {
    get readFrom() {
      return readFrom()
    },
    get next() {
      return next
    },
    judge,
  }
}

function rangeFrom(from: number, heads: readonly RecordBatchHead[], fetched: FetchedPartition): LogRange {
  const data = retain(fetched.batches)
  return {
    from,
    to: heads.at(-1)?.lastOffset ?? from - 1,
    data,
    retainedBytes: data.buffer.byteLength,
    heads,
    aborted: fetched.aborted,
  }
}
