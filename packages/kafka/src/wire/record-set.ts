import type { AbortedTransaction } from './fetch.ts'
import {
  isAbortMarker,
  isControl,
  isTransactional,
  readBatchHead,
  readRecords,
  type RecordBatchHead,
} from './record-batch.ts'
import type { RecordView } from './record-view.ts'

/** Reads the heads of all complete batches whose last offset is `from` or above, in order. */
export function readHeads(data: Buffer, from: number): readonly RecordBatchHead[] {
  const heads: RecordBatchHead[] = []
  for (let at = 0; at < data.length;) {
    const head = readBatchHead(data, at)
    if (head === undefined) break
    if (head.lastOffset >= from) heads.push(head)
    at = head.end
  }
  return heads
}

/** The records of a set, up to the first batch that cannot be decoded. */
export interface CommittedRecords {
  readonly records: readonly RecordView[]
  /** That batch, and why: a codec that we do not have, or bytes that are none. What follows it is not looked at. */
  readonly undecodable?: { readonly head: RecordBatchHead; readonly error: unknown }
}

/**
 * Decodes the records at `from` or above that a reader of committed records sees: no markers, nothing of aborted
 * transactions. Records are views of `data`.
 */
export function readCommitted(
  data: Buffer,
  heads: readonly RecordBatchHead[],
  o: { readonly partition: number; readonly from: number; readonly aborted: readonly AbortedTransaction[] },
): CommittedRecords {
  const waiting = o.aborted.toSorted((a, b) => a.firstOffset - b.firstOffset)
  const abortedProducers = new Set<bigint>()
  const records: RecordView[] = []
  for (const head of heads) {
    while (waiting[0] !== undefined && waiting[0].firstOffset <= head.lastOffset) {
      abortedProducers.add(waiting[0].producerId)
      waiting.shift()
    }
    const aborted = abortedProducers.has(head.producerId)
    try {
      if (isControl(head)) {
        if (aborted && isAbortMarker(data, head)) abortedProducers.delete(head.producerId)
      } else if (head.lastOffset >= o.from && !(aborted && isTransactional(head))) {
        for (const record of readRecords(data, head, o)) records.push(record)
      }
    } catch (error) {
      return { records, undecodable: { head, error } }
    }
  }
  return { records }
}
