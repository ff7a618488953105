import type { KafkaClient } from './client.ts'

/** A record to write: bytes as they shall stand in the log. */
export interface ProducerRecord {
  readonly partition: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, string | Buffer | readonly (string | Buffer)[]>>
}

/**
 * What became of the records of one partition, which stand or fall together.
 *
 * - `written`: acknowledged by all in-sync replicas, at `baseOffset` and following, in input order.
 * - `refused`: the broker said no (`MESSAGE_TOO_LARGE`, `INVALID_RECORD`, …); they are not in the log.
 * - `unknown`: no answer in time, or an answer that leaves it open: they may be in the log, or may yet appear.
 *   Send again with the same event ids.
 * - `unsent`: never sent, as no connection could be had in time; they are not in the log.
 */
export type PartitionOutcome =
  | { readonly type: 'written'; readonly baseOffset: number; readonly appendedAtMs: number }
  | { readonly type: 'refused'; readonly code: string }
  | { readonly type: 'unknown'; readonly code: string }
  | { readonly type: 'unsent'; readonly code: string }

/** The outcome of each partition that the records named. */
export interface ProduceOutcome {
  readonly partitions: ReadonlyMap<number, PartitionOutcome>
  /** True when every partition is `written`. */
  readonly ok: boolean
}

export interface EventProducer {
  /**
   * Writes records of one topic with acks=all, in input order within a partition. Never rejects. Answers at the latest
   * after `timeoutMs` (default 10,000): no produce request is started after that.
   * Sends that overlap may be reordered among each other: keep one outstanding for each lane that needs order.
   */
  send(records: readonly ProducerRecord[], o?: { readonly timeoutMs?: number }): Promise<ProduceOutcome>
  /** Asks the brokers for the topic's metadata: true when they answer within `timeoutMs`. What a breaker probes with. */
  probe(timeoutMs?: number): Promise<boolean>
  /** True while a connection to a broker stands. */
  readonly connected: boolean
  close(): Promise<void>
}

export interface ProducerOptions {
  readonly topic: string
  /** Default `none`. */
  readonly compression?: 'none' | 'gzip'
}

export function createProducer(_client: KafkaClient, _o: ProducerOptions): EventProducer {
  throw new Error('being written')
}
