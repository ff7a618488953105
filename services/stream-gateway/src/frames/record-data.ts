import { dataFor, type StreamFilter } from '../streams/filter.ts'
import { renderFrame } from './frames.ts'
import type { RingRecord } from '../log/ring.ts'

/** The frame of a record with the ring's own id, as a filter shows it. */
export function sharedChunk(record: RingRecord, filter: StreamFilter): Buffer {
  if (!filter.envelope) return record.frame.chunk
  const { chunk, idStart, idEnd } = record.frame
  return renderFrame({ event: record.type, data: dataOf(record, filter), id: chunk.subarray(idStart, idEnd) }).chunk
}

/** The `data` of a record, as a filter shows it. */
export function dataOf(record: RingRecord, filter: StreamFilter): Buffer {
  const { chunk, dataStart, dataEnd } = record.frame
  return dataFor(filter, { ...record, data: chunk.subarray(dataStart, dataEnd) })
}
