import type { ProducerRecord } from '@ariftly/kafka'

/** What became of one record: `accepted` is in Kafka with acks=all, `retry` may be, `refused` is not and never will be. */
export type RecordStatus = 'accepted' | 'retry' | 'refused'

/** The records of one request for one partition, in order. They are sent in order; once one is `retry`, so are those behind it. */
export interface Part {
  readonly partition: number
  readonly records: readonly ProducerRecord[]
  /** Size of each record in the log, bytes, at most. */
  readonly sizes: readonly number[]
  /** Called with the status of records `from` to `to` (exclusive). Every record is reported once. */
  settle(from: number, to: number, status: RecordStatus): void
}
