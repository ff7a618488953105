import type { PendingEvent, TaskQueue } from './pending-event.ts'

/** A limit of one request. */
export interface BatchLimit {
  readonly events: number
  readonly bytes: number
}

/** Bytes of a batch besides its events: brackets, and a comma for each. */
const COMMA_BYTES = 1

/** Events in queues by task. A batch takes whole queues, so that batches under way at the same time hold different tasks. */
export class TaskQueues {
  readonly #queues = new Map<string, TaskQueue>()
  #ready: TaskQueue[] = []
  /** Held until later; looked through when the earliest time has come. */
  readonly #held = new Set<TaskQueue>()
  readyEvents = 0
  readyBytes = 0
  /** When the first of the ready events came; meaningful while there are some. */
  readySinceMs = 0

  add(event: PendingEvent): void {
    const { key, bytes } = event.encoded
    let queue = this.#queues.get(key)
    if (queue === undefined) {
      queue = { key, events: [], bytes: 0, isBusy: false, heldUntilMs: 0, failures: 0, isReady: false }
      this.#queues.set(key, queue)
    }
    event.queue = queue
    queue.events.push(event)
    queue.bytes += bytes
    if (queue.isReady) {
      this.readyEvents += 1
      this.readyBytes += bytes + COMMA_BYTES
    } else if (!queue.isBusy && queue.heldUntilMs === 0) this.#makeReady(queue)
  }

  /** Takes events out for one request, first come first served by task; their queues are busy until `release`. */
  take(limit: BatchLimit): PendingEvent[] {
    const batch: PendingEvent[] = []
    let bytes = 2
    let taken = 0
    for (const queue of this.#ready) {
      let count = 0
      let queueBytes = 0
      for (const { encoded } of queue.events) {
        const isOver = batch.length + count === limit.events || bytes + encoded.bytes + COMMA_BYTES > limit.bytes
        if (isOver && batch.length + count > 0) break
        bytes += encoded.bytes + COMMA_BYTES
        queueBytes += encoded.bytes
        count += 1
      }
      if (count === 0) break
      taken += 1
      this.#unready(queue)
      queue.isBusy = true
      if (count === queue.events.length) {
        for (const event of queue.events) batch.push(event)
        queue.events = []
      } else batch.push(...queue.events.splice(0, count))
      queue.bytes -= queueBytes
      if (batch.length === limit.events) break
    }
    this.#ready.splice(0, taken)
    return batch
  }

  /**
   * Ends a request that held events of this queue: `kept` of them, in order, are to be posted again before all others, not earlier than
   * `heldUntilMs` (0: at once).
   */
  release(queue: TaskQueue, kept: readonly PendingEvent[], heldUntilMs: number): void {
    queue.isBusy = false
    if (kept.length > 0) {
      queue.events = [...kept, ...queue.events]
      for (const event of kept) queue.bytes += event.encoded.bytes
    }
    if (queue.events.length === 0) this.#queues.delete(queue.key)
    else if (heldUntilMs > 0) {
      queue.heldUntilMs = heldUntilMs
      this.#held.add(queue)
    } else this.#makeReady(queue)
  }

  /** Makes queues ready whose time has come; answers when the next one's does, Infinity without any. */
  releaseHeld(nowMs: number): number {
    let next = Infinity
    for (const queue of this.#held) {
      if (queue.heldUntilMs > nowMs) next = Math.min(next, queue.heldUntilMs)
      else {
        this.#held.delete(queue)
        queue.heldUntilMs = 0
        if (queue.events.length > 0) this.#makeReady(queue)
        else this.#queues.delete(queue.key)
      }
    }
    return next
  }

  /** Takes one event out that is not under way; false if it is. */
  remove(event: PendingEvent): boolean {
    const { queue } = event
    const at = queue === undefined ? -1 : queue.events.indexOf(event)
    if (queue === undefined || at === -1) return false
    if (queue.isReady) this.#unready(queue)
    queue.events.splice(at, 1)
    queue.bytes -= event.encoded.bytes
    this.#ready = this.#ready.filter((ready) => ready !== queue)
    if (queue.events.length > 0 && !queue.isBusy && queue.heldUntilMs === 0) this.#makeReady(queue)
    else if (queue.events.length === 0 && !queue.isBusy && queue.heldUntilMs === 0) this.#queues.delete(queue.key)
    return true
  }

  /** Takes all out that are not under way. */
  removeAll(): PendingEvent[] {
    const events = [...this.#queues.values()].flatMap((queue) => queue.events)
    this.#queues.clear()
    this.#held.clear()
    this.#ready = []
    this.readyEvents = 0
    this.readyBytes = 0
    return events
  }

  #makeReady(queue: TaskQueue): void {
    const atMs = queue.events[0]?.atMs ?? 0
    this.readySinceMs = this.readyEvents === 0 ? atMs : Math.min(this.readySinceMs, atMs)
    queue.isReady = true
    this.readyEvents += queue.events.length
    this.readyBytes += queue.bytes + COMMA_BYTES * queue.events.length
    this.#ready.push(queue)
  }

  #unready(queue: TaskQueue): void {
    queue.isReady = false
    this.readyEvents -= queue.events.length
    this.readyBytes -= queue.bytes + COMMA_BYTES * queue.events.length
  }
}
