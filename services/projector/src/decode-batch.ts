import { decodeRecord, recordId, type LogEvent, type RawRecord } from '@ariftly/events'
import type { DeadLetter, LogBatch } from '@ariftly/kafka'
import type { LogTime } from './log-times.ts'
import type { ProjectedEvent } from './event-arrays.ts'

/** A batch as it goes to Postgres. */
export interface DecodedBatch {
  readonly events: readonly ProjectedEvent[]
  readonly letters: readonly DeadLetter[]
  /** Offset and id of the last record with a valid event id, if there is one; also of a record that is a dead letter. */
  readonly last: { readonly offset: number; readonly id: string } | null
  /** The first record of each second of append time. */
  readonly times: readonly LogTime[]
}

/** Sorts the records of a batch into events and dead letters. Pure. */
export function decodeBatch(batch: LogBatch, o: { readonly epoch: number; readonly partitions: number }): DecodedBatch {
  const events: ProjectedEvent[] = []
  const letters: DeadLetter[] = []
  for (const record of batch.records) {
    const decoded = decodeRecord(record, o.partitions)
    switch (decoded.kind) {
      case 'event': {
        events.push(projected(decoded.event, record, o.epoch))
        break
      }
      case 'deadLetter':
        letters.push({ record, reason: decoded.reason, detail: decoded.detail })
        break
    }
  }
  return { events, letters, last: lastWithId(batch.records), times: firstOfEachSecond(batch.records) }
}

/** Written out: a spread of the event costs as much as the decoding of its headers. */
function projected(event: LogEvent, record: RawRecord, epoch: number): ProjectedEvent {
  return {
    tenant: event.tenant,
    id: event.id,
    type: event.type,
    taskId: event.taskId,
    sessionId: event.sessionId,
    agent: event.agent,
    data: event.data,
    traceparent: event.traceparent,
    epoch,
    partition: record.partition,
    offset: record.offset,
    appendedAtMs: record.timestampMs,
  }
}

function lastWithId(records: readonly RawRecord[]): DecodedBatch['last'] {
  for (const record of records.toReversed()) {
    const id = recordId(record)
    if (id !== undefined) return { offset: record.offset, id }
  }
  return null
}

function firstOfEachSecond(records: readonly RawRecord[]): readonly LogTime[] {
  const times: LogTime[] = []
  let second = Number.NEGATIVE_INFINITY
  for (const { partition, offset, timestampMs } of records) {
    const its = secondOf(timestampMs)
    // Append times may fall back when a leader moves; only a later second is new.
    if (its <= second) continue
    second = its
    times.push({ partition, offset, appendedAtMs: timestampMs })
  }
  return times
}

/** The second of an append time, of which one log time is enough. */
export function secondOf(appendedAtMs: number): number {
  return Math.floor(appendedAtMs / 1_000)
}
