import { Fault } from '@ariftly/fault'
import { errorName } from './wire/error-name.ts'

/**
 * Faults of the log as a whole.
 *
 * - `partition_count_changed`: the topic has another number of partitions than configured.
 * - `log_identity_changed`: this is not the log that the stored positions are of.
 * - `topic_missing`: the topic does not exist; the migrate step has not run. Retryable.
 * - `kafka_unavailable`: no broker answered, or it refused. Retryable.
 * - `records_unreadable`: a batch of records is compressed by a codec that is not supported, or is damaged.
 */
export type KafkaFaultCode =
  'partition_count_changed' | 'log_identity_changed' | 'topic_missing' | 'kafka_unavailable' | 'records_unreadable'

/** Makes a fault of the log; `retryable` when trying again later can help. */
export function kafkaFault(
  code: KafkaFaultCode,
  message: string,
  options: { readonly detail?: Readonly<Record<string, unknown>>; readonly cause?: unknown } = {},
): Fault {
  const retryable = code === 'topic_missing' || code === 'kafka_unavailable'
  return new Fault({ code, message, retryable, ...options })
}

/** The fault of an error code that a broker answers with. */
export function brokerFault(errorCode: number): Fault {
  return kafkaFault('kafka_unavailable', `The broker answers ${errorName(errorCode)}.`)
}

/** Wraps any error of a request about a topic. */
export function toKafkaFault(error: unknown, topic: string): Fault {
  if (error instanceof Fault) return error
  const message = error instanceof Error ? error.message : String(error)
  return kafkaFault('kafka_unavailable', `Kafka cannot be asked about ${topic}: ${message}`, { cause: error })
}
