import { recordTenant } from '@ariftly/events'
import { describeLog, scanLogBackwards, type KafkaClient } from '@ariftly/kafka'
import { toDeadLetter, type DeadLetter } from './dead-letter.ts'

/** Which dead letters to read. */
export interface DeadLettersWanted {
  readonly topic: string
  readonly reason?: string
  /** Inclusive, epoch milliseconds. */
  readonly fromMs?: number
  /** Exclusive. */
  readonly beforeMs?: number
  /** Where the page before ended: only what is older. */
  readonly place?: DeadLetterPlace
  readonly limit: number
  /** Those of these tenants that are being deleted or were deleted: their letters are left out. */
  readonly deletedTenants: (tenants: readonly string[]) => Promise<ReadonlySet<string>>
  /** When the page is given as far as it is; a moment of `performance.now`. */
  readonly untilMs: number
}

/** A record of the topic of dead letters. */
export interface DeadLetterPlace {
  readonly partition: number
  readonly offset: number
}

/** A page, newest first. */
export interface DeadLetterPage {
  readonly letters: readonly DeadLetter[]
  /** Where the next page begins; undefined at the end. */
  readonly next: DeadLetterPlace | undefined
}

/** Records that a page looks at, at most: those of other reasons and times are passed over. */
const RECORDS_MAX = 2_000

/**
 * Reads the topic from its newest record on. All dead letters are written to partition 0; those that other tools have put into
 * further partitions follow. A page may be short, or empty, while `next` tells that more was not looked at.
 * Faults: those of `describeLog`, `scanLogBackwards` and `deletedTenants`.
 */
export async function readDeadLetters(kafka: KafkaClient, o: DeadLettersWanted): Promise<DeadLetterPage> {
  const { topic, place, fromMs = -Infinity, beforeMs = Infinity } = o
  const { partitions } = await describeLog(kafka, topic)
  const letters: DeadLetter[] = []
  let looked = 0
  for (const { partition, logStart, logEnd } of partitions) {
    if (place !== undefined && partition < place.partition) continue
    const to = partition === place?.partition ? Math.min(place.offset, logEnd) : logEnd
    partition: for await (const records of scanLogBackwards(kafka, { topic, partition, from: logStart, to })) {
      const deleted = await o.deletedTenants(records.flatMap((record) => recordTenant(record) ?? []))
      for (const record of records) {
        if (letters.length === o.limit || looked === RECORDS_MAX || performance.now() > o.untilMs) {
          return { letters, next: { partition, offset: record.offset + 1 } }
        }
        looked += 1
        // Times are the broker's, so they fall with the offsets.
        if (record.timestampMs < fromMs) break partition
        if (record.timestampMs >= beforeMs) continue
        if (o.reason !== undefined && String(record.headers['dlq_reason']) !== o.reason) continue
        if (deleted.has(recordTenant(record) ?? '')) continue
        letters.push(toDeadLetter(record))
      }
    }
  }
  return { letters, next: undefined }
}
