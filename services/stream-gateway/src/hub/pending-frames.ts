import { ByteBudget, TurnQueue } from '@ariftly/fairness'
import { joinBlocks } from '../frames/frames.ts'
import type { OffsetVector } from '../log/offset-vector.ts'
import type { HubCounts } from './hub-options.ts'
import { LiveInOrder } from './live-in-order.ts'
import type { FilterGroup, Subscriber } from './subscriber.ts'
import type { UnsentBudget } from './unsent-budget.ts'

interface PendingFramesOptions {
  readonly counts: HubCounts
  readonly budget: UnsentBudget
  /** A live stream with more unsent bytes gets nothing until it takes some. */
  readonly unsentBytesMax: number
  /** Memory of the frames that wait: above it, a tenant that holds more than an equal share of it gets no more. Default: 16 MiB. */
  readonly pendingBytesMax?: number
  now(): number
  /** Called for a stream with too much unsent; it has everything up to `position`. */
  onOverfull(subscriber: Subscriber, position: OffsetVector): void
  /** Called when the live streams of a stopped group have everything up to `position`. */
  onStopped(group: FilterGroup, position: OffsetVector): void
}

type UnfinishedBlock = NonNullable<FilterGroup['unfinished']>

interface JoinedFrames {
  readonly frames: readonly Buffer[]
  readonly block: Buffer
}

/**
 * A shared frame is counted whole for its first group and as an entry for the others. As groups are written in turn, at most
 * twice this is held.
 */
const PENDING_BYTES_MAX = 16 * 1024 * 1024
const ENTRY_BYTES = 16
/** Writes between two checks of the clock. */
const WRITES_PER_CLOCK_CHECK = 8
/** Groups written together with the same block: each write compares all of them. */
const GROUPS_TOGETHER_MAX = 8

/**
 * The frames that wait for the live streams of groups, from the record to the end of the tick. Tenants take turns: a turn
 * writes one group, or several with the same frames. A group with many streams is continued in its next turn. So a tenant
 * with many filters or streams does not delay another tenant's events.
 */
export class PendingFrames {
  readonly #o: PendingFramesOptions
  readonly #turns = new TurnQueue<FilterGroup>()
  /** The last joined block, by `envelope`. */
  readonly #joined = new Map<boolean, JoinedFrames>()
  /** The last added frame, by `envelope`. */
  readonly #added = new Map<boolean, Buffer>()
  readonly #held: ByteBudget
  readonly #heldBytesMax: number

  constructor(o: PendingFramesOptions) {
    this.#o = o
    this.#heldBytesMax = o.pendingBytesMax ?? PENDING_BYTES_MAX
    this.#held = new ByteBudget({ bytesMax: this.#heldBytesMax })
  }

  /** False when a tenant's frames should be written before more of them are added. */
  hasRoom(tenant: string): boolean {
    const held = this.#held
    return held.bytes <= this.#heldBytesMax || held.bytesOf(tenant) <= this.#heldBytesMax / held.tenants
  }

  /** Stops a group that is not stopped: its live streams get the pending frames, and nothing from `position` on. */
  stop(group: FilterGroup, position: OffsetVector): void {
    group.stoppedAt = position
    this.#endStop(group)
  }

  /** Adds a frame for the live streams of a group that is not stopped. */
  add(group: FilterGroup, frame: Buffer): void {
    group.pending.push(frame)
    group.pendingBytes += frame.length
    const { envelope } = group.filter
    const heldBytes = this.#added.get(envelope) === frame ? ENTRY_BYTES : ENTRY_BYTES + frame.length
    this.#added.set(envelope, frame)
    group.held ??= this.#held.open(group.filter.tenant)
    group.held.set(group.held.bytes + heldBytes)
    if (group.isQueued) return
    group.isQueued = true
    this.#turns.add(group.filter.tenant, group)
  }

  /** Whether frames wait for a live stream of a group. */
  isWaiting({ pending, unfinished }: FilterGroup): boolean {
    return pending.length > 0 || unfinished !== undefined
  }

  /** Writes all pending frames of one group, however long it takes; `position` is its live streams' position afterwards. */
  flush(group: FilterGroup, position: OffsetVector): void {
    if (group.unfinished !== undefined) this.#write(group.unfinished, Infinity)
    const next = this.#join([group], position)
    if (next !== undefined) this.#write(next, Infinity)
  }

  /** Writes pending frames, tenants in turn, until `untilMs` (of `now`); true when frames are left. */
  run(position: OffsetVector, untilMs: number): boolean {
    for (let group = this.#turns.take(); group !== undefined; group = this.#turns.take()) {
      group.isQueued = false
      const next = group.unfinished ?? this.#join(this.#takeSame(group), position)
      if (next !== undefined && !this.#write(next, untilMs)) this.#continueLater(group, next)
      else if (group.pending.length > 0) this.#continueLater(group, undefined)
      if (this.#o.now() > untilMs) break
    }
    if (!this.#turns.isEmpty) return true
    this.#joined.clear()
    this.#added.clear()
    return false
  }

  #continueLater(group: FilterGroup, unfinished: UnfinishedBlock | undefined): void {
    if (unfinished !== undefined) {
      // The ring moves its position in place.
      const kept = { ...unfinished, position: Float64Array.from(unfinished.position) }
      for (const each of kept.groups) each.unfinished = kept
    }
    group.isQueued = true
    this.#turns.add(group.filter.tenant, group)
  }

  /** The group whose turn it is, and the tenant's next groups that have the same frames pending. */
  #takeSame(group: FilterGroup): [FilterGroup, ...FilterGroup[]] {
    const groups: [FilterGroup, ...FilterGroup[]] = [group]
    const isAlike = ({ unfinished, pending, stoppedAt }: FilterGroup) =>
      unfinished === undefined && stoppedAt === group.stoppedAt && isSame(pending, group.pending)
    while (groups.length < GROUPS_TOGETHER_MAX) {
      const next = this.#turns.takeNextOf(group.filter.tenant, isAlike)
      if (next === undefined) break
      next.isQueued = false
      groups.push(next)
    }
    return groups
  }

  /** The pending frames of the groups, equal for all, as one block; undefined when there are none. */
  #join(groups: readonly [FilterGroup, ...FilterGroup[]], position: OffsetVector): UnfinishedBlock | undefined {
    const [first] = groups
    if (first.pending.length === 0) return undefined
    const block = this.#blockOf(first)
    for (const group of groups) this.#take(group, block)
    const rest = groups.length === 1 ? first.live.entries() : new LiveInOrder(groups)
    return { groups, block, position: first.stoppedAt ?? position, rest }
  }

  /** Counts the block as given to the group's live streams and clears its pending frames. */
  #take(group: FilterGroup, block: Buffer): void {
    const { counts } = this.#o
    counts.delivered += group.pending.length * group.live.size
    counts.deliveredBytes += block.length * group.live.size
    counts.writes += group.live.size
    group.held?.close()
    group.held = undefined
    group.pending = []
    group.pendingBytes = 0
  }

  /** Lets the streams of a stopped group fall back once its pending frames are written. */
  #endStop(group: FilterGroup): void {
    const { stoppedAt } = group
    if (stoppedAt === undefined || this.isWaiting(group)) return
    group.stoppedAt = undefined
    this.#o.onStopped(group, stoppedAt)
  }

  /** The pending frames of a group as one block, shared with groups of other filters that have the same frames pending. */
  #blockOf({ pending, pendingBytes, filter }: FilterGroup): Buffer {
    const last = this.#joined.get(filter.envelope)
    if (last !== undefined && isSame(last.frames, pending)) return last.block
    const block = joinBlocks(pending, pendingBytes)
    this.#joined.set(filter.envelope, { frames: pending, block })
    return block
  }

  /** Writes a block; false when the time is up before all streams have it. */
  #write({ groups, block, position, rest }: UnfinishedBlock, untilMs: number): boolean {
    const { budget, unsentBytesMax } = this.#o
    for (const group of groups) group.unfinished = undefined
    let writes = 0
    for (const [subscriber, sink] of rest) {
      const unsent = sink.write(block)
      if (unsent > 0) {
        budget.note(subscriber, unsent)
        if (unsent > unsentBytesMax) this.#o.onOverfull(subscriber, position)
      }
      writes += 1
      if (writes % WRITES_PER_CLOCK_CHECK !== 0 || this.#o.now() <= untilMs) continue
      budget.enforce()
      return false
    }
    budget.enforce()
    for (const group of groups) this.#endStop(group)
    return true
  }
}

function isSame(a: readonly Buffer[], b: readonly Buffer[]): boolean {
  return a.length === b.length && a.every((frame, index) => frame === b[index])
}
