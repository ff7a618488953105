import type { RawRecord } from '@ariftly/events'
import type { KafkaClient } from '../cluster/client.ts'
import { toKafkaFault } from '../kafka-fault.ts'
import { scanLog, type ScanOptions } from './scan-log.ts'

/** Offsets that are read at a time: records of the largest size are then some 16 MiB. */
const OFFSETS = 64
/** Bytes of one fetch; a larger batch is returned whole. */
const BYTES_MAX = 256 * 1024

/**
 * Reads a part of a partition from its end, outside of any consumer group: the committed records from `to - 1` down to `from`,
 * some at a time. Faults as of `scanLog`, and `kafka_unavailable` for what fails below it; nothing is given of a stretch that cannot be read.
 */
export async function* scanLogBackwards(
  client: KafkaClient,
  o: Omit<ScanOptions, 'bytesMax'>,
): AsyncGenerator<readonly RawRecord[], void> {
  for (let to = o.to; to > o.from;) {
    const from = Math.max(o.from, to - OFFSETS)
    const records: RawRecord[] = []
    try {
      for await (const some of scanLog(client, { ...o, from, to, bytesMax: BYTES_MAX })) records.push(...some)
    } catch (error) {
      throw toKafkaFault(error, o.topic)
    }
    if (records.length > 0) yield records.toReversed()
    to = from
  }
}
