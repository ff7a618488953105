import { encodeRecord, partitionOf, type LogEvent } from '@ariftly/events'
import type { ProducerRecord } from '@ariftly/kafka'

/** Events as the records that ingest would send of them, in order, for a topic of so many partitions. */
export function recordsOf(events: readonly LogEvent[], partitions: number): ProducerRecord[] {
  return events.map((event) => {
    const record = encodeRecord(event)
    return { ...record, partition: partitionOf(record.key, partitions) }
  })
}
