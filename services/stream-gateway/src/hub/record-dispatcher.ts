import { isIdInWindow, RecordAttributes, type LogEvent } from '@ariftly/events'
import type { RecordView } from '@ariftly/kafka'
import type { StreamIds } from '@ariftly/http'
import type { DuplicateCheck } from '../log/duplicate-check.ts'
import { EventIdBits } from '../log/event-id-bits.ts'
import type { OffsetVector } from '../log/offset-vector.ts'
import type { RecordState } from '../log/record-state.ts'
import { tenantOf } from '../log/record-tenant.ts'
import type { FramedEvent } from '../log/ring-columns.ts'
import type { Ring } from '../log/ring.ts'
import type { FilterGroups } from './filter-groups.ts'
import type { HubCounts } from './hub-options.ts'
import type { PendingFrames } from './pending-frames.ts'
import { sharedFrame } from './record-frames.ts'
import type { FilterGroup, Subscriber } from './subscriber.ts'

/** What dispatch knows of a record that an open stream wants. */
export interface WantedState {
  readonly event: LogEvent
  /** Result of the look-up for duplicates; undefined when none was needed. */
  readonly state: RecordState | undefined
  /** The filter groups that get it; undefined when they were too many to be kept. */
  readonly groups: readonly FilterGroup[] | undefined
}

/** Consecutive records of one partition, as read. */
export interface HubBatch {
  readonly partition: number
  readonly records: readonly RecordView[]
  /** By offset. Other records are decoded if a stream wants them later. */
  readonly wanted: ReadonlyMap<number, WantedState>
  /** Version of the filter index when `wanted` was computed: unless it has grown since, no stream wants another record. */
  readonly filterVersion: number
  readonly nextOffset: number
}

interface RecordDispatcherOptions {
  readonly epoch: number
  readonly streamIds: StreamIds
  readonly ring: Ring
  readonly duplicates: DuplicateCheck
  readonly filterIndex: FilterGroups<Subscriber>
  readonly counts: HubCounts
  readonly pending: PendingFrames
}

/** What is known of the records of a batch. */
interface Dispatched {
  /** Their bytes, if they were copied together. */
  readonly copied: ReturnType<Ring['copy']>
  /** No stream wants any other record than those in `wanted`. */
  readonly areAllFound: boolean
}

/** Adds records to the ring, each with its state, and queues their frames for the live streams that want them. */
export class RecordDispatcher {
  readonly #o: RecordDispatcherOptions
  /** The id of the record that is being dispatched. */
  readonly #id = new EventIdBits()
  readonly #readId = (bytes: Buffer, start: number, end: number): boolean => this.#id.read(bytes, start, end)
  #before: { readonly seq: number; readonly position: OffsetVector } | undefined

  constructor(o: RecordDispatcherOptions) {
    this.#o = o
  }

  dispatch({ records, wanted, filterVersion }: HubBatch): void {
    const { ring, filterIndex } = this.#o
    const shared = { copied: ring.copy(records), areAllFound: filterVersion === filterIndex.version }
    for (const record of records) {
      this.#dispatchOne(record, wanted.size === 0 ? undefined : wanted.get(record.offset), shared)
    }
  }

  #dispatchOne(record: RecordView, wanted: WantedState | undefined, { copied, areAllFound }: Dispatched): void {
    const { ring, duplicates, filterIndex, counts } = this.#o
    const { partition, offset, timestampMs: appendedAtMs } = record
    const tenant = tenantOf(record)
    const hasId = tenant !== undefined && record.readHeader('ce_id', this.#readId) === true
    // A dead letter that is posted again once its id is in the window is no duplicate, also when the ring has dropped the first one.
    const state =
      hasId && isIdInWindow(this.#id.ms, appendedAtMs)
        ? duplicates.note({ partition, tenant, id: this.#id, offset, appendedAtMs }, wanted?.state)
        : 'hidden'
    const seq = ring.append(record, state, copied)
    counts.records += 1
    if (state === 'hidden') counts.hidden += 1
    if (tenant === undefined || state === 'hidden') return
    if (wanted !== undefined) {
      counts.decoded += 1
      const { event } = wanted
      const groups = (areAllFound ? wanted.groups : undefined) ?? filterIndex.groupsFor(event)
      // Not kept in the ring, so that its memory is for records: few streams ever walk it.
      this.#queue(seq, state, groups, { event, frame: undefined, envelopeFrame: undefined })
    } else if (!areAllFound && filterIndex.has(tenant)) {
      this.#queue(seq, state, filterIndex.groupsFor(new RecordAttributes(record, tenant)))
    }
  }

  /** Queues the frame of a record for groups. Without `decoded` the ring decodes the record, and keeps what it makes. */
  #queue(seq: number, state: RecordState, groups: readonly FilterGroup[], decoded?: FramedEvent): void {
    const { ring, duplicates, pending, streamIds, epoch } = this.#o
    let streamId: string | undefined
    const making = {
      id: () => (streamId ??= streamIds.seal({ epoch, position: ring.position })),
      onKept: decoded === undefined ? (bytes: number) => ring.addBytes(seq, bytes) : undefined,
    }
    for (const group of groups) {
      if (group.live.size === 0 || group.stoppedAt !== undefined) continue
      if (!duplicates.isKnown(state) || !pending.hasRoom(group.filter.tenant)) {
        pending.stop(group, this.#positionBefore(seq))
      } else {
        const framed = decoded ?? ring.event(seq)
        if (framed === undefined) return
        pending.add(group, sharedFrame(framed, group.filter, making))
      }
    }
  }

  /** Where the record that is being dispatched follows; the same object for all groups. */
  #positionBefore(seq: number): OffsetVector {
    if (this.#before?.seq === seq) return this.#before.position
    const { ring } = this.#o
    const position = Float64Array.from(ring.position)
    position[ring.partition(seq)] = ring.offset(seq)
    this.#before = { seq, position }
    return position
  }
}
