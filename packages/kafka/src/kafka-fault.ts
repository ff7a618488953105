/**
 * Codes of what goes wrong with the log as a whole.
 *
 * - `partition_count_changed`: the topic has another number of partitions than configured (design 4.3).
 * - `log_identity_changed`: this is not the log that the positions were made from (design 4.4).
 * - `topic_missing`: the topic does not exist; the migrate step has not run.
 * - `kafka_unavailable`: no broker answered, or it refused; try again.
 * - `records_unreadable`: a batch of records is compressed by a codec that we do not have, or is damaged.
 */
export type KafkaFaultCode =
  'partition_count_changed' | 'log_identity_changed' | 'topic_missing' | 'kafka_unavailable' | 'records_unreadable'

/** What is wrong with the log as a whole. `retryable` is true when trying again later can help. */
export class KafkaFault extends Error {
  readonly code: KafkaFaultCode
  readonly retryable: boolean
  readonly detail: Readonly<Record<string, unknown>>

  constructor(
    code: KafkaFaultCode,
    message: string,
    options: { readonly detail?: Readonly<Record<string, unknown>>; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'KafkaFault'
    this.code = code
    this.retryable = code === 'topic_missing' || code === 'kafka_unavailable'
    this.detail = options.detail ?? {}
  }
}
