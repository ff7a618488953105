import type { PendingEvent, TaskQueue } from './pending-event.ts'

/** A limit of one request, or of the queue. */
export interface BatchLimit {
  readonly events: number
  readonly bytes: number
}

/** Events in queues by task. A batch takes whole queues, so that concurrent batches hold different tasks. */
export class TaskQueues {
  readonly #queues = new Map<string, TaskQueue>()
  readonly #ready = new Set<TaskQueue>()
  readonly #held = new Set<TaskQueue>()
  readyEvents = 0
  readyBytes = 0
  /** When the first ready event was queued, monotonic milliseconds; meaningful while there are some. */
  readySinceMs = 0

  /** Adds an event; whether it may be posted now. */
  add(event: PendingEvent): boolean {
    const { key, bytes } = event.encoded
    let queue = this.#queues.get(key)
    const isNew = queue === undefined
    queue ??= { key, events: [], bytes: 0, state: 'ready', heldUntilMs: 0, failures: 0 }
    event.queue = queue
    queue.events.push(event)
    queue.bytes += bytes
    if (isNew) {
      this.#queues.set(key, queue)
      this.#makeReady(queue)
    } else if (queue.state === 'ready') {
      this.readyEvents += 1
      this.readyBytes += bytes
    }
    return queue.state === 'ready'
  }

  /** Takes events out for one request, in order of arrival by task, one event at least; their queues are busy until `release`. */
  take(limit: BatchLimit): PendingEvent[] {
    const batch: PendingEvent[] = []
    let bytes = 2
    for (const queue of this.#ready) {
      let count = 0
      let queueBytes = 0
      for (const { encoded } of queue.events) {
        const isOver = batch.length + count >= limit.events || bytes + queueBytes + encoded.bytes > limit.bytes
        if (isOver && batch.length + count > 0) break
        queueBytes += encoded.bytes
        count += 1
      }
      if (count === 0) break
      this.#unready(queue, 'busy')
      if (count === queue.events.length) {
        for (const event of queue.events) batch.push(event)
        queue.events = []
      } else batch.push(...queue.events.splice(0, count))
      queue.bytes -= queueBytes
      bytes += queueBytes
    }
    return batch
  }

  /**
   * Ends a request that held events of this queue: `kept` of them, in order, are posted again before all others, not earlier than
   * `heldUntilMs` (0: immediately).
   */
  release(queue: TaskQueue, kept: readonly PendingEvent[], heldUntilMs: number): void {
    if (kept.length > 0) {
      queue.events = [...kept, ...queue.events]
      for (const event of kept) queue.bytes += event.encoded.bytes
    }
    if (queue.events.length === 0) this.#queues.delete(queue.key)
    else if (heldUntilMs > 0) {
      queue.state = 'held'
      queue.heldUntilMs = heldUntilMs
      this.#held.add(queue)
    } else this.#makeReady(queue)
  }

  /** Makes queues ready whose time is due; returns when the next one is due, Infinity without any. */
  releaseHeld(nowMs: number): number {
    let next = Infinity
    for (const queue of this.#held) {
      if (queue.heldUntilMs > nowMs) next = Math.min(next, queue.heldUntilMs)
      else this.#makeReady(queue)
    }
    return next
  }

  /** Takes one event out that is in no request; false if it is. */
  remove(event: PendingEvent): boolean {
    const { queue, encoded } = event
    const at = queue?.events.indexOf(event) ?? -1
    if (queue === undefined || at === -1) return false
    const { state } = queue
    if (state === 'ready') this.#unready(queue, state)
    queue.events.splice(at, 1)
    queue.bytes -= encoded.bytes
    if (state === 'busy') return true
    if (queue.events.length === 0) {
      this.#held.delete(queue)
      this.#queues.delete(queue.key)
    } else if (state === 'ready') this.#makeReady(queue)
    return true
  }

  /** All events that are in no request. */
  all(): PendingEvent[] {
    return [...this.#queues.values()].flatMap((queue) => queue.events)
  }

  #makeReady(queue: TaskQueue): void {
    const sinceMs = queue.events[0]?.sinceMs ?? 0
    this.readySinceMs = this.readyEvents === 0 ? sinceMs : Math.min(this.readySinceMs, sinceMs)
    queue.state = 'ready'
    this.readyEvents += queue.events.length
    this.readyBytes += queue.bytes
    this.#held.delete(queue)
    this.#ready.add(queue)
  }

  #unready(queue: TaskQueue, state: TaskQueue['state']): void {
    queue.state = state
    this.readyEvents -= queue.events.length
    this.readyBytes -= queue.bytes
    this.#ready.delete(queue)
  }
}
