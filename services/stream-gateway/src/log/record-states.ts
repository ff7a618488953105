import { typeIdMs } from '@ariftly/events'
import type { IdIndex } from './id-index.ts'
import type { RecordState, Ring } from './ring.ts'

/** What this process knows by itself of records: whether they are duplicates. */
export interface RecordStates {
  /** The offset of an earlier record of the partition with this id. */
  earlierOf(this: void, partition: number, tenant: string, id: string): number | undefined
  /** The state of a record that nobody has looked up. */
  stateOf(partition: number, tenant: string, id: string): RecordState
}

/** Judges records by the index of ids and the ring. */
export function createRecordStates({ ids, ring }: { readonly ids: IdIndex; readonly ring: Ring }): RecordStates {
  function earlierOf(partition: number, tenant: string, id: string): number | undefined {
    const offset = ids.find(partition, tenant, id)
    if (offset === undefined) return undefined
    // An earlier record that turns out to be a dead letter is not the same event.
    const seq = ring.seqOf(partition, offset)
    return seq !== undefined && ring.event(seq) === undefined ? undefined : offset
  }

  function stateOf(partition: number, tenant: string, id: string): RecordState {
    const idMs = typeIdMs('evt', id)
    if (idMs === undefined || earlierOf(partition, tenant, id) !== undefined) return 'hidden'
    return ids.mayBeOlder(partition, idMs) ? 'unchecked' : 'shown'
  }

  return { earlierOf, stateOf }
}
