import type { Fault } from '@ariftly/fault'
import { kafkaFault } from '../kafka-fault.ts'
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

/** How many bytes may still be decoded; counted down. */
export interface DecodeRoom {
  encoded: number
  unpacked: number
}

/** The records of a set, up to where the room ends or a batch cannot be decoded. */
export interface CommittedRecords {
  readonly records: readonly RecordView[]
  /** First offset of the batch at which it stopped; undefined when all was decoded. */
  readonly stoppedAt?: number
  /** The first batch that cannot be decoded, with fault `records_unreadable`. Later batches are not read. */
  readonly undecodable?: { readonly head: RecordBatchHead; readonly error: Fault }
}

/**
 * Decodes the records at `from` or above that a reader of committed records sees: no markers, nothing of aborted
 * transactions. Records are views of `data`.
 */
export function readCommitted(
  data: Buffer,
  heads: readonly RecordBatchHead[],
  o: {
    readonly partition: number
    readonly from: number
    readonly aborted: readonly AbortedTransaction[]
    /** At least one batch is decoded, even without room. */
    readonly room?: DecodeRoom
  },
): CommittedRecords {
  const { room = { encoded: Number.POSITIVE_INFINITY, unpacked: Number.POSITIVE_INFINITY } } = o
  const waiting = o.aborted.toSorted((a, b) => a.firstOffset - b.firstOffset)
  const abortedProducers = new Set<bigint>()
  const records: RecordView[] = []
  let isFirst = true
  for (const head of heads) {
    if (!isFirst && (room.encoded <= 0 || room.unpacked <= 0)) return { records, stoppedAt: head.baseOffset }
    while (waiting[0] !== undefined && waiting[0].firstOffset <= head.lastOffset) {
      abortedProducers.add(waiting[0].producerId)
      waiting.shift()
    }
    const aborted = abortedProducers.has(head.producerId)
    try {
      if (isControl(head)) {
        if (aborted && isAbortMarker(data, head)) abortedProducers.delete(head.producerId)
      } else if (head.lastOffset >= o.from && !(aborted && isTransactional(head))) {
        for (const record of readRecords(data, head, { ...o, room })) records.push(record)
        room.encoded -= head.end - head.start
        isFirst = false
      }
    } catch (cause) {
      return { records, stoppedAt: head.baseOffset, undecodable: { head, error: unreadable(o.partition, head, cause) } }
    }
  }
  return { records }
}

function unreadable(partition: number, { baseOffset, lastOffset }: RecordBatchHead, cause: unknown): Fault {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return kafkaFault(
    'records_unreadable',
    `Offsets ${baseOffset} to ${lastOffset} of partition ${partition}: ${reason}.`,
    {
      cause,
    },
  )
}
