import { encodeRecord, newEventId, type LogEvent } from '@ariftly/events'
import type { LogBatch } from '@ariftly/kafka'
import { recordViewOf, sampleEvent } from '@ariftly/testkit'

/** An event of the tenant `acme`, for tests. */
export function event(task: string, text: string, id = newEventId(Date.now())): LogEvent {
  return sampleEvent({ id, taskId: task, data: Buffer.from(`{"task_id":"${task}","message":"${text}"}`) })
}

/** How a batch is unlike the first one of a topic with one partition, appended now. */
interface BatchOptions {
  readonly partition?: number
  /** Adds a record that is no event. */
  readonly garbage?: boolean
  readonly appendedMs?: number
}

/** The first batch of a partition. */
export function batchOf(
  events: readonly LogEvent[],
  { partition = 0, garbage = false, appendedMs = Date.now() }: BatchOptions = {},
): LogBatch {
  const records = events.map((one, offset) => {
    const { key, value, headers } = encodeRecord(one)
    return { partition, offset, timestampMs: appendedMs, key, value, headers }
  })
  const bad = { partition, offset: records.length, timestampMs: appendedMs, key: null, value: null, headers: {} }
  const all = garbage ? [...records, bad] : records
  return { partition, records: all.map(recordViewOf), firstOffset: 0, lastOffset: all.length - 1 }
}
