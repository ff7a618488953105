import type { PartitionProduced } from '../wire/produce.ts'

/**
 * The outcome of the records of one partition, which are written or refused together.
 *
 * - `written`: acknowledged by all in-sync replicas, at `baseOffset` and following, in input order; by the broker `leader`.
 * - `refused`: the broker said no (`MESSAGE_TOO_LARGE`, `INVALID_RECORD`, …); they are not in the log.
 * - `unknown`: no answer in time, or an answer that leaves it open: they may be in the log, or may yet appear.
 *   Send again with the same event ids.
 * - `unsent`: never sent, as no connection could be had in time; they are not in the log.
 */
export type PartitionOutcome =
  | { readonly type: 'written'; readonly baseOffset: number; readonly appendedAtMs: number; readonly leader: number }
  | { readonly type: 'refused'; readonly code: string }
  | { readonly type: 'unknown'; readonly code: string }
  | { readonly type: 'unsent'; readonly code: string }

/** Answers after which the same batch may be sent again; the batch is not in the log when they have no offset of it. */
const TRY_AGAIN: ReadonlySet<string> = new Set([
  'CORRUPT_MESSAGE',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'UNKNOWN_TOPIC_ID',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_OR_FOLLOWER',
  'REPLICA_NOT_AVAILABLE',
  'NOT_ENOUGH_REPLICAS',
  'KAFKA_STORAGE_ERROR',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
])
/** Answers after which the batch may be in the log: retried once, and `unknown` if that does not help. */
const LEFT_OPEN: ReadonlySet<string> = new Set([
  'UNKNOWN_SERVER_ERROR',
  'REQUEST_TIMED_OUT',
  'NETWORK_EXCEPTION',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
])

/**
 * The outcome that a leader's answer means. A leader that is replaced after it appended the batch, while it waits for the
 * replicas, answers NOT_LEADER_OR_FOLLOWER with the batch's offset: the next leader may have the batch.
 */
export function outcomeOf({ code, baseOffset, appendedAtMs }: PartitionProduced, leader: number): PartitionOutcome {
  if (code === 'NONE') return { type: 'written', baseOffset, appendedAtMs, leader }
  if (LEFT_OPEN.has(code)) return { type: 'unknown', code }
  if (TRY_AGAIN.has(code)) return { type: baseOffset < 0 ? 'unsent' : 'unknown', code }
  return { type: 'refused', code }
}

/** Whether the same records may be sent again. */
export function mayTryAgain({ type }: PartitionOutcome): boolean {
  return type === 'unsent' || type === 'unknown'
}

/** The outcome of several tries: an earlier one that was left open stays open, unless a later one is written. */
export function mergeOutcomes(before: PartitionOutcome, now: PartitionOutcome): PartitionOutcome {
  return before.type === 'unknown' && now.type !== 'written' ? before : now
}
