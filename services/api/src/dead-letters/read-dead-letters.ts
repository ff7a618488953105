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
  /** Where the previous page ended: only older ones are read. */
  readonly place?: DeadLetterPlace
  readonly limit: number
  /** Which of these tenants are deleted or being deleted: their dead letters are left out. */
  readonly deletedTenants: (tenants: readonly string[]) => Promise<ReadonlySet<string>>
  /** Deadline by `performance.now`, after which the rows read so far are returned. */
  readonly untilMs: number
}

/** A record of the topic of dead letters. */
export interface DeadLetterPlace {
  readonly partition: number
  readonly offset: number
}

/** A page, newest first. */
export interface DeadLetterPage {
  readonly deadLetters: readonly DeadLetter[]
  /** Where the next page begins; undefined at the end. */
  readonly next: DeadLetterPlace | undefined
}

/** Records scanned for one page at most; the filter skips some. */
const RECORDS_MAX = 2_000

/**
 * Reads the topic from its newest record on. All dead letters are written to partition 0; records that other tools wrote to
 * further partitions follow. A page may be short or empty with a `next`, when not all records were scanned.
 * Faults: as in `describeLog`, `scanLogBackwards` and `deletedTenants`.
 */
export async function readDeadLetters(kafka: KafkaClient, o: DeadLettersWanted): Promise<DeadLetterPage> {
  const { topic, place, fromMs = -Infinity, beforeMs = Infinity } = o
  const { partitions } = await describeLog(kafka, topic)
  const deadLetters: DeadLetter[] = []
  let scanned = 0
  for (const { partition, logStart, logEnd } of partitions) {
    if (place !== undefined && partition < place.partition) continue
    const to = partition === place?.partition ? Math.min(place.offset, logEnd) : logEnd
    partition: for await (const records of scanLogBackwards(kafka, { topic, partition, from: logStart, to })) {
      const deleted = await o.deletedTenants(records.flatMap((record) => recordTenant(record) ?? []))
      for (const record of records) {
        if (deadLetters.length === o.limit || scanned === RECORDS_MAX || performance.now() > o.untilMs) {
          return { deadLetters, next: { partition, offset: record.offset + 1 } }
        }
        scanned += 1
        // Times are the broker's, so they fall with the offsets.
        if (record.timestampMs < fromMs) break partition
        if (record.timestampMs >= beforeMs) continue
        if (o.reason !== undefined && String(record.headers['dlq_reason']) !== o.reason) continue
        if (deleted.has(recordTenant(record) ?? '')) continue
        deadLetters.push(toDeadLetter(record))
      }
    }
  }
  return { deadLetters, next: undefined }
}
