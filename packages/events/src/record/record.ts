import type { LogEvent } from '../log-event.ts'

/** A header may have no value, which is not an empty one. */
type HeaderValue = Buffer | string | null

/** A record as a Kafka client hands it over. `timestampMs` is the append time. */
export interface RawRecord {
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, HeaderValue | readonly HeaderValue[] | undefined>>
}

/** The record that a producer sends for one event. */
export interface EncodedRecord {
  /** ASCII. */
  readonly key: string
  readonly value: Buffer
  readonly headers: Record<string, string>
}

/** Why a record is no event: stable codes for `dlq_reason`. */
export const DEAD_LETTER_REASONS = [
  'missing_attribute',
  'bad_attribute',
  'unknown_type',
  'key_mismatch',
  'wrong_partition',
  'id_out_of_window',
  'value_missing',
  'value_too_large',
  'value_not_utf8',
  'value_not_one_line',
  'value_not_json_object',
  'value_too_deep',
  'value_bad_string',
  'value_duplicate_member',
  'value_first_member',
] as const

/** One of {@link DEAD_LETTER_REASONS}. */
export type DeadLetterReason = (typeof DEAD_LETTER_REASONS)[number]

/** A record read: an event, or a dead letter with its reason and one sentence of detail that holds no payload. */
export type Decoded =
  | { readonly kind: 'event'; readonly event: LogEvent }
  | { readonly kind: 'deadLetter'; readonly reason: DeadLetterReason; readonly detail: string }
