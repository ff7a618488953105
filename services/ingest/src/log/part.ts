import type { ProducerRecord } from '@ariftly/kafka'

/** Outcome of one record: `accepted` is in Kafka with acks=all, `retry` may be, `refused` is not and never will be. */
export type RecordStatus = 'accepted' | 'retry' | 'refused' | OutOfWindow

/**
 * The id's time is too far from the append time for readers, who take the record for a dead letter, as a clock is wrong. The event is
 * to be posted again; an id of that append time is within the window.
 */
export interface OutOfWindow {
  readonly type: 'outOfWindow'
  /** By the leader's clock, epoch milliseconds. */
  readonly appendedAtMs: number
}

/** The records of one request for one partition, sent in order. Once one is `retry`, so are all that were not sent yet. */
export interface Part {
  readonly partition: number
  readonly records: readonly ProducerRecord[]
  /** Time of each record's id, epoch milliseconds. */
  readonly idTimes: readonly number[]
  /** Size of each record in the log, bytes, at most. */
  readonly sizes: readonly number[]
  /** Called with the status of records `from` to `to` (exclusive). Every record is reported once. */
  settle(from: number, to: number, status: RecordStatus): void
}

/** Size of records `from` to `to` (exclusive) of a part. */
export function bytesOf({ sizes }: Part, from: number, to: number): number {
  let sum = 0
  for (let at = from; at < to; at += 1) sum += sizes[at] ?? 0
  return sum
}
