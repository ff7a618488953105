import { recordId } from '@ariftly/events'
import type { AbortedTransaction, FetchedPartition } from './wire/fetch.ts'
import type { RecordBatchHead } from './wire/record-batch.ts'
import { readCommitted, readHeads } from './wire/record-set.ts'

/** A run of offsets that follows without a gap on what was handed on before. Records are still encoded. */
export interface LogRange {
  readonly from: number
  /** The last offset, control records included. */
  readonly to: number
  readonly data: Buffer
  readonly heads: readonly RecordBatchHead[]
  readonly aborted: readonly AbortedTransaction[]
  readonly highWatermark: number
}

/**
 * What to do with one answer of the broker.
 *
 * - `idle`: it holds nothing new.
 * - `seek`: read again from `offset`; the answer is dropped.
 * - `accept`: hand on `range`; if `lostTo` is set, the log no longer had the offsets from `range.from` to `lostTo - 1`.
 * - `outOfRange`: the log has no such offset; ask where it begins and ends.
 * - `otherLog`: the record that we read last is not the one that stands there now.
 */
type Verdict =
  | { readonly type: 'idle' }
  | { readonly type: 'seek'; readonly offset: number }
  | { readonly type: 'accept'; readonly range: LogRange; readonly lostTo: number | null }
  | { readonly type: 'outOfRange' }
  | { readonly type: 'otherLog'; readonly detail: Readonly<Record<string, unknown>> }

export interface PartitionGuard {
  /** Where the next read has to begin. */
  readonly readFrom: number
  /** The first offset not yet handed on. */
  readonly next: number
  judge(fetchedFrom: number, fetched: FetchedPartition): Verdict
}

/**
 * The guard of one partition of one assignment: whatever offset the consumer happens to read from, only an unbroken run
 * from `next` is handed on. Pure; the caller seeks.
 *
 * With `verify` the first read begins at the last record handled, whose id must be the stored one (design 4.4): a wiped
 * broker, or another cluster, has something else there. What looks wrong is read a second time before it is believed, as a
 * consumer of kafkajs may resume elsewhere after a session blip.
 */
export function createPartitionGuard(o: {
  readonly partition: number
  readonly next: number
  readonly verify: { readonly offset: number; readonly id: string } | null
}): PartitionGuard {
  let { next, verify } = o
  /** First offset of a read that began at the right place and jumped; the second equal one is believed. */
  let jumpSeen: number | null = null
  let mismatchSeen = false

  const readFrom = (): number => verify?.offset ?? next

  function judge(fetchedFrom: number, fetched: FetchedPartition): Verdict {
    if (fetchedFrom !== readFrom()) return { type: 'seek', offset: readFrom() }
    if (fetched.outOfRange) return { type: 'outOfRange' }
    if (verify !== null && fetched.logStart > verify.offset) {
      verify = null
      return { type: 'seek', offset: next }
    }
    const heads = readHeads(fetched.batches, readFrom())
    const first = heads[0]
    if (first === undefined) return { type: 'idle' }
    return verify === null ? follow(first, heads, fetched) : checkIdentity(verify, heads, fetched)
  }

  function follow(first: RecordBatchHead, heads: readonly RecordBatchHead[], fetched: FetchedPartition): Verdict {
    const jumped = first.baseOffset > next
    if (jumped && jumpSeen !== first.baseOffset) {
      jumpSeen = first.baseOffset
      return { type: 'seek', offset: next }
    }
    jumpSeen = null
    const lostTo = jumped && fetched.logStart > next ? first.baseOffset : null
    const range = rangeFrom(next, heads, fetched)
    next = range.to + 1
    return { type: 'accept', range, lostTo }
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
    // We have read it once: that says nothing about which log this is.
    if (undecodable !== undefined) throw undecodable.error
    const record = records[0]?.offset === expected.offset ? records[0] : undefined
    const found = record === undefined ? null : (recordId(record) ?? null)
    if (found !== expected.id) {
      if (mismatchSeen) {
        const detail = { partition: o.partition, offset: expected.offset, expectedId: expected.id, foundId: found }
        return { type: 'otherLog', detail }
      }
      mismatchSeen = true
      return { type: 'seek', offset: expected.offset }
    }
    verify = null
    const rest = heads.filter((head) => head.lastOffset >= next)
    const first = rest[0]
    return first === undefined ? { type: 'seek', offset: next } : follow(first, rest, fetched)
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
  return {
    from,
    to: heads.at(-1)?.lastOffset ?? from - 1,
    data: fetched.batches,
    heads,
    aborted: fetched.aborted,
    highWatermark: fetched.highWatermark,
  }
}
