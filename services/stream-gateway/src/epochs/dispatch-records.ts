import { setImmediate as nextTurn } from 'node:timers/promises'
import { createTurnClock } from '@ariftly/async'
import { decodeRecord, type LogEvent } from '@ariftly/events'
import type { RecordView } from '@ariftly/kafka'
import type { Hub } from '../hub/hub.ts'
import type { WantedState } from '../hub/record-dispatcher.ts'
import type { FilterGroup } from '../hub/subscriber.ts'
import type { WantedRecord } from '../log/duplicate-check.ts'
import { routedOf, tenantOf } from '../log/read-routed.ts'

/** What {@link createDispatch} needs. */
export interface DispatchOptions {
  readonly hub: Hub
  readonly now: () => number
}

/** Consecutive records of one partition that are dispatched together. */
export interface Stretch {
  readonly partition: number
  readonly records: readonly RecordView[]
  readonly nextOffset: number
}

/** What is done with records between two looks at the clock, in records that no stream wants; one that is wanted costs more. */
const STEP_COST = 32
const WANTED_COST = 4
/** Groups that are kept of the wanted records of a stretch, each at 8 bytes; records beyond are matched again when they are appended. */
const GROUPS_MAX = 16_384
/**
 * So long records of all partitions are decoded and handed to the hub in one turn of the event loop, ms: those of one tenant must
 * not hold up the others. Each partition gets at least one step a turn.
 */
const TURN_MS = 2

/**
 * Hands records to the hub. Those that an open stream wants, by their tenant and then by their headers, are decoded and
 * checked for duplicates before; of all others nothing is built. `onWanted` is called with those that are wanted.
 */
export function createDispatch(o: DispatchOptions) {
  const { hub } = o
  const partitions = hub.ring.position.length
  const isTurnOver = createTurnClock(TURN_MS, o.now)

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
    const stepRecords = states.size === 0 ? STEP_COST : STEP_COST / WANTED_COST
    for (let at = 0; at < fresh.length || at === 0; at += stepRecords) {
      if (at > 0 && isTurnOver()) await nextTurn()
      // A handler that was given up (the assignment changed) must not append behind its successor's back.
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

  /** The records that open streams want, decoded; other work has its turn in between. */
  async function decodeAllWanted(records: readonly RecordView[], signal: AbortSignal): Promise<RoutedRecord[]> {
    const wanted: RoutedRecord[] = []
    let cost = 0
    let kept = 0
    for (const record of records) {
      if (cost >= STEP_COST) {
        cost = 0
        if (isTurnOver()) await nextTurn()
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

  /** The groups of open streams that get a record, if it turns out to be an event. */
  function groupsFor(record: RecordView): readonly FilterGroup[] {
    const tenant = tenantOf(record)
    return tenant === undefined || !hub.filterIndex.has(tenant)
      ? NO_GROUPS
      : hub.filterIndex.groupsFor(routedOf(record, tenant))
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
