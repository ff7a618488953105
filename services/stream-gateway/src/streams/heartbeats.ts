import { HEARTBEAT } from '../frames/frames.ts'
import type { CloseReason } from '../hub/hub-options.ts'
import type { Hub } from '../hub/hub.ts'
import type { Subscriber } from '../hub/subscriber.ts'
import type { UnsentBudget } from '../hub/unsent-budget.ts'

/** Pause between two turns, ms. */
export const TURN_MS = 1000

/** What {@link createHeartbeats} needs. */
export interface HeartbeatsOptions {
  readonly hub: () => Hub | undefined
  readonly budget: UnsentBudget
  readonly heartbeatMs: number
  readonly stallMs: number
  now(): number
  /** A stream was ended here. */
  onEnded(subscriber: Subscriber, why: 'stalled' | CloseReason): void
}

/** One timer for all streams. */
export interface Heartbeats {
  add(subscriber: Subscriber): void
  remove(subscriber: Subscriber): void
  /** Sends a stream its position and ends it; one that does not take its last bytes is destroyed. Once a stream. */
  close(subscriber: Subscriber, why: CloseReason): void
  /** To be called every {@link TURN_MS}. */
  turn(): void
}

/** Every how many heartbeats a stream that got no event gets its position. */
const CHECKPOINT_EVERY = 4
/** Time for the last bytes of a stream that is closed, ms. */
const LAST_BYTES_MS = 5000
/** So long a stream may have too much unsent before it is closed, ms. */
const OVERFULL_MS = 5000

/**
 * Heartbeats, checkpoints, stalled and overfull sockets of all streams: each stream is in one slot and each turn visits one
 * slot, so that the work of a heartbeat period is spread over it and no stream has a timer. Streams whose key or token expires
 * are also listed by the second in which they end.
 */
export function createHeartbeats(o: HeartbeatsOptions): Heartbeats {
  const slots = Array.from({ length: Math.max(1, Math.round(o.heartbeatMs / TURN_MS)) }, () => new Set<Subscriber>())
  const slotOf = new WeakMap<Subscriber, Set<Subscriber>>()
  /** Streams to end or to destroy, by the second of the clock in which that is due. */
  const deadlines = new Map<number, Set<Subscriber>>()
  const deadlineOf = new WeakMap<Subscriber, number>()
  /** Closed: only the last bytes are still to be sent. */
  const ending = new WeakSet<Subscriber>()
  let second = Math.floor(o.now() / 1000)
  let next = 0
  let turns = 0

  function add(subscriber: Subscriber): void {
    // The slot that was visited last: the first heartbeat comes after a whole period.
    const slot = slots[(next + slots.length - 1) % slots.length]
    slot?.add(subscriber)
    if (slot !== undefined) slotOf.set(subscriber, slot)
    if (subscriber.expiresAtMs < Infinity) setDeadline(subscriber, subscriber.expiresAtMs)
  }

  function setDeadline(subscriber: Subscriber, atMs: number): void {
    clearDeadline(subscriber)
    const due = Math.max(second + 1, Math.ceil(atMs / 1000))
    const subscribers = deadlines.get(due)
    if (subscribers === undefined) deadlines.set(due, new Set([subscriber]))
    else subscribers.add(subscriber)
    deadlineOf.set(subscriber, due)
  }

  function clearDeadline(subscriber: Subscriber): void {
    const due = deadlineOf.get(subscriber)
    if (due === undefined) return
    const subscribers = deadlines.get(due)
    subscribers?.delete(subscriber)
    if (subscribers?.size === 0) deadlines.delete(due)
  }

  function remove(subscriber: Subscriber): void {
    slotOf.get(subscriber)?.delete(subscriber)
    clearDeadline(subscriber)
  }

  function turn(): void {
    const slot = slots[next]
    next = (next + 1) % slots.length
    turns += 1
    const withCheckpoint = Math.floor(turns / slots.length) % CHECKPOINT_EVERY === CHECKPOINT_EVERY - 1
    const nowMs = o.now()
    endDue(nowMs)
    o.hub()?.closeOverfull(OVERFULL_MS)
    for (const subscriber of slot ?? []) if (!ending.has(subscriber)) visit(subscriber, nowMs, withCheckpoint)
  }

  /** Ends the streams that have expired; destroys those that did not take their last bytes. */
  function endDue(nowMs: number): void {
    for (; second < Math.floor(nowMs / 1000); second += 1) {
      const due = deadlines.get(second + 1)
      deadlines.delete(second + 1)
      for (const subscriber of due ?? []) {
        if (ending.has(subscriber)) subscriber.sink.destroy()
        else close(subscriber, 'expired')
      }
    }
  }

  function close(subscriber: Subscriber, why: CloseReason): void {
    if (ending.has(subscriber)) return
    const checkpoint = o.hub()?.checkpoint(subscriber)
    if (checkpoint !== undefined) subscriber.sink.write(checkpoint)
    ending.add(subscriber)
    setDeadline(subscriber, o.now() + LAST_BYTES_MS)
    o.onEnded(subscriber, why)
    subscriber.sink.end()
  }

  /** Of an idle stream little is looked at and nothing written down: what it has in memory is in no cache any more. */
  function visit(subscriber: Subscriber, nowMs: number, withCheckpoint: boolean): void {
    const unsent = subscriber.sink.unsentBytes()
    if (unsent > 0) {
      o.budget.note(subscriber, unsent)
      if (isStalled(subscriber, nowMs)) {
        o.onEnded(subscriber, 'stalled')
        subscriber.sink.destroy()
      }
      // What waits for the client already keeps the connection alive.
      return
    }
    if (subscriber.takenBytes !== 0) subscriber.takenBytes = 0
    const isReading = subscriber.phase === 'readingHistory'
    const checkpoint = withCheckpoint || isReading ? o.hub()?.checkpoint(subscriber) : undefined
    if (subscriber.phase !== 'closed') subscriber.sink.write(checkpoint ?? HEARTBEAT)
  }

  /** Something waits for the client: whether nothing of it was taken for long. */
  function isStalled(subscriber: Subscriber, nowMs: number): boolean {
    const takenBytes = subscriber.sink.sentBytes()
    if (takenBytes <= subscriber.takenBytes) return nowMs - subscriber.takenAtMs >= o.stallMs
    subscriber.takenBytes = takenBytes
    subscriber.takenAtMs = nowMs
    return false
  }

  return { add, remove, close, turn }
}
