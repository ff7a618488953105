import { setImmediate as nextTurn } from 'node:timers/promises'
import { decodeRecord, type LogEvent } from '@ariftly/events'
import type { RecordView } from '@ariftly/kafka'
import type { Hub, WantedState } from '../streams/hub.ts'
import type { DuplicateCheck, WantedRecord } from './duplicate-check.ts'
import { routedOf, tenantOf } from './read-routed.ts'

/** What {@link createDispatch} needs. */
export interface DispatchOptions {
  readonly hub: Hub
  readonly duplicates: Pick<DuplicateCheck, 'find'>
  readonly now: () => number
}

/** Consecutive records of one partition that are dispatched together. */
export interface Stretch {
  readonly partition: number
  readonly records: readonly RecordView[]
  readonly nextOffset: number
}

/** Records that are handed to the hub between two looks at the clock. */
const STEP_RECORDS = 32
/** So long records are decoded, or handed to the hub, at a stretch, ms: those of one tenant must not hold up the others. */
const STEP_MS = 2

/**
 * Hands records to the hub. Those that an open stream wants, by their tenant and then by their headers, are decoded and
 * checked for duplicates before; of all others nothing is built. `onWanted` is called with those that are wanted.
 */
export function createDispatch(o: DispatchOptions) {
  const { hub } = o
  const partitions = hub.ring.position.length

  return async function dispatch(
    { partition, records, nextOffset }: Stretch,
    signal: AbortSignal,
    onWanted?: (wanted: readonly WantedRecord[]) => void,
  ): Promise<void> {
    let position = hub.ring.position[partition] ?? 0
    // A batch that failed half-way comes again.
    const fresh = records[0] !== undefined && records[0].offset >= position ? records : records.filter(isFresh)
    const { version: filterVersion } = hub.filterIndex
    const wanted = await decodeAllWanted(fresh, signal)
    onWanted?.(wanted)
    const states = await statesOf(partition, wanted, signal)
    for (let at = 0, untilMs = o.now() + STEP_MS; at < fresh.length || at === 0; at += STEP_RECORDS) {
      while (o.now() > untilMs || hub.isFull) {
        await nextTurn()
        untilMs = o.now() + STEP_MS
        signal.throwIfAborted()
      }
      // A handler that was given up (the assignment changed) must not append behind its successor's back.
      signal.throwIfAborted()
      if (hub.ring.position[partition] !== position) throw new Error('Two handlers read the same partition.')
      const step = fresh.slice(at, at + STEP_RECORDS)
      const isEnd = at + STEP_RECORDS >= fresh.length
      const next = isEnd ? nextOffset : (step.at(-1)?.offset ?? 0) + 1
      hub.append({ partition, records: step, wanted: states, filterVersion, nextOffset: next })
      position = hub.ring.position[partition] ?? 0
    }

    function isFresh(record: RecordView): boolean {
      return record.offset >= position
    }
  }

  /** The records that open streams want, decoded; other work has its turn in between. */
  async function decodeAllWanted(records: readonly RecordView[], signal: AbortSignal): Promise<WantedRecord[]> {
    const wanted: WantedRecord[] = []
    let untilMs = o.now() + STEP_MS
    for (let at = 0; at < records.length; at += STEP_RECORDS) {
      if (o.now() > untilMs) {
        await nextTurn()
        untilMs = o.now() + STEP_MS
        signal.throwIfAborted()
      }
      for (const record of records.slice(at, at + STEP_RECORDS)) {
        const event = decodeWanted(record)
        if (event !== undefined) wanted.push({ offset: record.offset, event })
      }
    }
    return wanted
  }

  /** The event of a record that an open stream wants. */
  function decodeWanted(record: RecordView): LogEvent | undefined {
    const tenant = tenantOf(record)
    if (tenant === undefined || !hub.filterIndex.has(tenant)) return undefined
    if (!hub.filterIndex.hasMatch(routedOf(record, tenant))) return undefined
    const decoded = decodeRecord(record, partitions)
    return decoded.kind === 'event' ? decoded.event : undefined
  }

  async function statesOf(
    partition: number,
    wanted: readonly WantedRecord[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<number, WantedState>> {
    if (wanted.length === 0) return NO_STATES
    const found = await o.duplicates.find(partition, wanted, signal)
    return new Map(wanted.map(({ offset, event }) => [offset, { event, state: found.get(offset) ?? 'hidden' }]))
  }
}

const NO_STATES: ReadonlyMap<number, WantedState> = new Map()
