import { decodeRecord } from '@ariftly/events'
import { scanLog } from '@ariftly/kafka'
import type { ProjectedEvent } from '../event-arrays.ts'
import { withoutDeleted } from '../tenant-deletion/without-deleted.ts'
import type { CommandContext, Place } from './command.ts'

/**
 * Reads the events of a partition that the projection has passed and the log still has, in order, some at a time. Dead
 * letters and the events of deleted tenants are left out, and so is what retention deletes meanwhile: `onLogStart` is then called with
 * the first offset that the log still has.
 */
export async function* logEvents(
  { kafka, pool, topic, partitions }: CommandContext,
  { partition, logStart, logEnd, position }: Place,
  epoch: number,
  onLogStart: (logStart: number) => void = () => {},
): AsyncGenerator<readonly ProjectedEvent[], void> {
  const to = Math.min(position.nextOffset, logEnd)
  for await (const records of scanLog(kafka, { topic, partition, from: logStart, to, onLogStart })) {
    const events = records.flatMap((record) => {
      const decoded = decodeRecord(record, partitions)
      if (decoded.kind !== 'event') return []
      return [{ ...decoded.event, epoch, partition, offset: record.offset, appendedAtMs: record.timestampMs }]
    })
    yield await withoutDeleted(pool, events)
  }
}
