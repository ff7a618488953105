import type { RawRecord } from '@ariftly/events'
import type { KafkaClient } from './client.ts'

/** A record that breaks the contract, and why. */
export interface DeadLetter {
  readonly record: RawRecord
  /** A stable code. */
  readonly reason: string
  readonly detail: string
}

export interface DeadLetterWriter {
  /**
   * Writes the letters with acks=all and resolves when all are acknowledged; rejects otherwise (then some may be written).
   * A record that is too large even there goes without its value and with the header `dlq_truncated`.
   */
  write(letters: readonly DeadLetter[]): Promise<void>
  close(): Promise<void>
}

export function createDeadLetterWriter(
  _client: KafkaClient,
  _o: { readonly topic: string; readonly dlqTopic: string },
): DeadLetterWriter {
  throw new Error('being written')
}
