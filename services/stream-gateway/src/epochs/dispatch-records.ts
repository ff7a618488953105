import { setImmediate as immediate } from 'node:timers/promises'
import { createTickClock } from '@ariftly/async'
import { decodeRecord, RecordAttributes, type LogEvent } from '@ariftly/events'
import type { RecordView } from '@ariftly/kafka'
import type { Hub } from '../hub/hub.ts'
import type { WantedState } from '../hub/record-dispatcher.ts'
import type { FilterGroup } from '../hub/subscriber.ts'
import type { WantedRecord } from '../log/duplicate-check.ts'
import { tenantOf } from '../log/record-tenant.ts'

interface DispatchOptions {
  readonly hub: Hub
  readonly now: () => number
}

/** Consecutive records of one partition that are dispatched together. */
export interface Stretch {
  readonly partition: number
  readonly records: readonly RecordView[]
  readonly nextOffset: number
}

/** Work between two checks of the clock, counted in unwanted records; a wanted record costs {@link WANTED_COST}. */
const STEP_COST = 32
const WANTED_COST = 4
/** Groups kept for the wanted records of a stretch, 8 bytes each; further records are matched again when they are appended. */
const GROUPS_MAX = 16_384
/**
 * Time for decoding and appending records of all partitions in one tick of the event loop, ms, so that one tenant's records
 * do not delay the others'. Each partition gets at least one step a tick.
 */
const TICK_MS = 2

/**
 * Hands records to the hub. Records that an open stream wants, by tenant and headers, are decoded and checked for
 * duplicates first, and given to `onWanted`; nothing is built for the others.
 */
export function createDispatch(o: DispatchOptions) {
  const { hub } = o
  const partitions = hub.ring.position.length
  const isTickOver = createTickClock(TICK_MS, o.now)

  return async function dispatch(
    { partition, records, nextOffset }: Stretch,
    signal: AbortSignal,
    onWanted?: (wanted: readonly WantedRecord[]) => void,
  ): Promise<void> {
    let position = hub.ring.position[partition] ?? 0
    // A batch that failed half-way is read again.
    const fresh = records[0] !== undefined && records[0].offset >= position ? records : records.filter(isFresh)
    const { version: filterVersion } = hub.filterIndex
    const wanted = await decodeAllWanted(fresh, signal)
    onWanted?.(wanted)
    const states = await statesOf(partition, wanted, signal)
    const stepRecords = states.size === 0 ? STEP_COST : STEP_COST / WANTED_COST
    for (let at = 0; at < fresh.length || at === 0; at += stepRecords) {
      if (at > 0 && isTickOver()) await immediate()
      // An aborted handler (the assignment changed) must not append: its successor already does.
      signal.throwIfAborted()
      if (hub.ring.position[partition] !== position) throw new Error('Two handlers read the same partition.')
      const step = fresh.slice(at, at + stepRecords)
      const isEnd = at + stepRecords >= fresh.length
      const next = isEnd ? nextOffset : (step.at(-1)?.offset ?? 0) + 1
      hub.append({ partition, records: step, wanted: states, filterVersion, nextOffset: next })
      position = hub.ring.position[partition] ?? 0
    }

    function isFresh(record: RecordView): boolean {
      return record.offset >= position
    }
  }

  /** Decodes the records that open streams want, and yields to the event loop in between. */
  async function decodeAllWanted(records: readonly RecordView[], signal: AbortSignal): Promise<RoutedRecord[]> {
    const wanted: RoutedRecord[] = []
    let cost = 0
    let kept = 0
    for (const record of records) {
      if (cost >= STEP_COST) {
        cost = 0
        if (isTickOver()) await immediate()
        signal.throwIfAborted()
      }
      const groups = groupsFor(record)
      const event = groups.length === 0 ? undefined : decode(record)
      cost += event === undefined ? 1 : WANTED_COST
      if (event === undefined) continue
      kept += groups.length
      wanted.push({ offset: record.offset, event, groups: kept <= GROUPS_MAX ? groups : undefined })
    }
    return wanted
  }

  /** The filter groups that get a record, if it decodes to an event. */
  function groupsFor(record: RecordView): readonly FilterGroup[] {
    const tenant = tenantOf(record)
    return tenant === undefined || !hub.filterIndex.has(tenant)
      ? NO_GROUPS
      : hub.filterIndex.groupsFor(new RecordAttributes(record, tenant))
  }

  function decode(record: RecordView): LogEvent | undefined {
    const decoded = decodeRecord(record, partitions)
    return decoded.kind === 'event' ? decoded.event : undefined
  }

  async function statesOf(
    partition: number,
    wanted: readonly RoutedRecord[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<number, WantedState>> {
    if (wanted.length === 0) return NO_STATES
    const found = await hub.duplicates.find(partition, wanted, signal)
    return new Map(wanted.map(({ offset, event, groups }) => [offset, { event, groups, state: found.get(offset) }]))
  }
}

/** A wanted record with the groups that get it, as in {@link WantedState}. */
type RoutedRecord = WantedRecord & Pick<WantedState, 'groups'>

const NO_GROUPS: readonly FilterGroup[] = []
const NO_STATES: ReadonlyMap<number, WantedState> = new Map()
