import { encodeRecord, newEventId, type LogEvent } from '@ariftly/events'
import type { LogBatch } from '@ariftly/kafka'
import { recordViewOf, sampleEvent } from '@ariftly/testkit'

/** An event of the tenant `acme`, for tests. */
export function event(task: string, text: string, id = newEventId(Date.now())): LogEvent {
  return sampleEvent({ id, taskId: task, data: Buffer.from(`{"task_id":"${task}","message":"${text}"}`) })
}

/** The first batch of a partition, of a topic with one partition unless another one is said; `garbage` adds a record that is no event. */
export function batchOf(
  events: readonly LogEvent[],
  { partition = 0, garbage = false }: { readonly partition?: number; readonly garbage?: boolean } = {},
): LogBatch {
  const records = events.map((one, offset) => {
    const { key, value, headers } = encodeRecord(one)
    return { partition, offset, timestampMs: Date.now(), key, value, headers }
  })
  const bad = { partition, offset: records.length, timestampMs: Date.now(), key: null, value: null, headers: {} }
  const all = garbage ? [...records, bad] : records
  return { partition, records: all.map(recordViewOf), firstOffset: 0, lastOffset: all.length - 1 }
}
