import { HEARTBEAT } from '../frames/frames.ts'
import type { CloseReason } from '../hub/hub-options.ts'
import type { Hub } from '../hub/hub.ts'
import type { Subscriber } from '../hub/subscriber.ts'
import type { UnsentBudget } from '../hub/unsent-budget.ts'
import { Deadlines } from './deadlines.ts'

/** Pause between two ticks, ms. */
export const TICK_MS = 1000

interface HeartbeatsOptions {
  readonly hub: () => Hub | undefined
  readonly budget: UnsentBudget
  readonly heartbeatMs: number
  now(): number
  /** A stream was ended here. */
  onEnded(subscriber: Subscriber, why: 'stalled' | CloseReason): void
}

/** Every how many heartbeats a stream that got no event gets its position. */
const CHECKPOINT_EVERY = 4
/** A stream that takes no byte of what waits for it for this long is closed, ms. */
const STALL_MS = 30_000
/** Time for the last bytes of a stream that is closed, ms. */
const LAST_BYTES_MS = 5000
/** A stream that has had too much unsent for this long is closed, ms. */
const OVERFULL_MS = 5000

/**
 * Sends heartbeats and checkpoints and closes stalled and overfull streams. Each stream is in one slot and each tick visits
 * one slot: the work is spread over the heartbeat period and no stream has a timer. Streams whose key or token expires are
 * also listed by the second in which they end.
 */
export class Heartbeats {
  readonly #o: HeartbeatsOptions
  readonly #slots: readonly Set<Subscriber>[]
  readonly #slotOf = new WeakMap<Subscriber, Set<Subscriber>>()
  readonly #deadlines: Deadlines
  /** Closed: only the last bytes are still to be sent. */
  readonly #ending = new WeakSet<Subscriber>()
  #next = 0
  #ticks = 0

  constructor(o: HeartbeatsOptions) {
    this.#o = o
    const slots = Math.max(1, Math.round(o.heartbeatMs / TICK_MS))
    this.#slots = Array.from({ length: slots }, () => new Set())
    this.#deadlines = new Deadlines(o.now())
  }

  /** Takes a stream that opens. */
  add(subscriber: Subscriber): void {
    // The slot visited last: the first heartbeat is sent after a whole period.
    const slot = this.#slots[(this.#next + this.#slots.length - 1) % this.#slots.length]
    slot?.add(subscriber)
    if (slot !== undefined) this.#slotOf.set(subscriber, slot)
    if (subscriber.expiresAtMs < Infinity) this.#deadlines.set(subscriber, subscriber.expiresAtMs)
  }

  /** Forgets a stream whose socket is closed. */
  remove(subscriber: Subscriber): void {
    this.#slotOf.get(subscriber)?.delete(subscriber)
    this.#deadlines.clear(subscriber)
  }

  /** To be called every {@link TICK_MS}. */
  tick(): void {
    const slots = this.#slots.length
    const slot = this.#slots[this.#next]
    this.#next = (this.#next + 1) % slots
    this.#ticks += 1
    const withCheckpoint = Math.floor(this.#ticks / slots) % CHECKPOINT_EVERY === CHECKPOINT_EVERY - 1
    const nowMs = this.#o.now()
    for (const subscriber of this.#deadlines.takeDue(nowMs)) this.#endDue(subscriber)
    this.#o.hub()?.closeOverfull(OVERFULL_MS)
    for (const subscriber of slot ?? []) {
      if (!this.#ending.has(subscriber)) this.#visit(subscriber, nowMs, withCheckpoint)
    }
  }

  /** Sends a stream its position and ends it; destroys the socket if the last bytes are not taken. Idempotent. */
  close(subscriber: Subscriber, why: CloseReason): void {
    if (this.#ending.has(subscriber)) return
    const checkpoint = this.#o.hub()?.checkpoint(subscriber)
    if (checkpoint !== undefined) subscriber.sink.write(checkpoint)
    this.#ending.add(subscriber)
    this.#deadlines.set(subscriber, this.#o.now() + LAST_BYTES_MS)
    this.#o.onEnded(subscriber, why)
    subscriber.sink.end()
  }

  /** Ends a stream that has expired; destroys one that did not take its last bytes. */
  #endDue(subscriber: Subscriber): void {
    if (this.#ending.has(subscriber)) subscriber.sink.destroy()
    else this.close(subscriber, 'expired')
  }

  /** Reads little of an idle stream and writes no field: its memory is not in the CPU cache. */
  #visit(subscriber: Subscriber, nowMs: number, withCheckpoint: boolean): void {
    const unsent = subscriber.sink.unsentBytes()
    if (unsent > 0) {
      this.#o.budget.note(subscriber, unsent)
      if (subscriber.untakenMs(nowMs) >= STALL_MS) {
        this.#o.onEnded(subscriber, 'stalled')
        subscriber.sink.destroy()
      }
      // Unsent bytes already keep the connection alive.
      return
    }
    subscriber.noneUnsent()
    const isReading = subscriber.phase === 'readingHistory'
    const hub = this.#o.hub()
    // What waits for the stream has an id of its own.
    const isDue = (withCheckpoint || isReading) && hub?.isWaitingForTurn(subscriber) === false
    const checkpoint = isDue ? hub.checkpoint(subscriber) : undefined
    if (subscriber.phase !== 'closed') subscriber.sink.write(checkpoint ?? HEARTBEAT)
  }
}
