import { EventIdBits } from './event-id-bits.ts'
import type { IdIndex, IndexedRecord } from './id-index.ts'
import type { RecordState, Ring } from './ring.ts'

/** What this process knows by itself of records: whether they are duplicates. */
export interface RecordStates {
  /** The offset of an earlier record of the partition with this id. */
  earlierOf(this: void, partition: number, tenant: string, id: string): number | undefined
  /** Adds the id of a record and returns its state; `found` is what a look-up said of it. */
  note(record: IndexedRecord, found: RecordState | undefined): RecordState
}

/** Judges records by the index of ids and the ring. */
export function createRecordStates({ ids, ring }: { readonly ids: IdIndex; readonly ring: Ring }): RecordStates {
  const asked = new EventIdBits()

  function earlierOf(partition: number, tenant: string, id: string): number | undefined {
    const offset = asked.readText(id) ? ids.find(partition, tenant, asked) : undefined
    return offset === undefined || isDeadLetter(partition, offset) ? undefined : offset
  }

  /** A record of the ring that turns out to be a dead letter is not the same event. */
  function isDeadLetter(partition: number, offset: number): boolean {
    const seq = ring.seqOf(partition, offset)
    return seq !== undefined && ring.event(seq) === undefined
  }

  function note(record: IndexedRecord, found: RecordState | undefined): RecordState {
    if (found === 'hidden') return 'hidden'
    const { partition, appendedAtMs, id } = record
    ids.seen(partition, appendedAtMs)
    const state = found ?? (ids.mayBeOlder(partition, id.ms) ? 'unchecked' : 'shown')
    return ids.add(record, isDeadLetter) === undefined ? state : 'hidden'
  }

  return { earlierOf, note }
}
