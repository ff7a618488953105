import { ClosedError } from '../errors.ts'
import { backOffMs, type BackOff } from '../http/back-off.ts'
import type { Transport } from '../http/transport.ts'
import type { Logger } from '../types.ts'
import { Barriers } from './barriers.ts'
import { BatchRequest } from './batch-request.ts'
import { withId, type EncodedEvent } from './encode-event.ts'
import { Gate } from './gate.ts'
import type { PendingEvent, Outcome, SendCall, TaskQueue } from './pending-event.ts'
import { postBatch, type BatchResult, type EventResult } from './post-batch.ts'
import type { SendStats } from './send-stats.ts'
import type { Spool } from './spool.ts'
import { TaskQueues, type BatchLimit } from './task-queues.ts'
import { WakeUp } from './wake-up.ts'

/** How a batcher works; see `SendOptions` for units and defaults. */
export interface BatcherSettings {
  readonly lingerMs: number
  readonly batch: BatchLimit
  readonly requestsMax: number
  readonly queue: BatchLimit
  readonly backOff: BackOff
  readonly transport: Transport
  readonly spool: Spool | undefined
  readonly logger: Logger | undefined
  /** A fresh id by the server's clock, as it is known now. */
  readonly mintId: () => string
}

const BATCH_BYTES_MIN = 64 * 1024

/**
 * Sends events in batches: several requests at a time, each task in one of them at most, so that order per task holds under retry. Nothing is
 * dropped: an event is accepted, refused, or given back by `close`. The queue is bounded; what finds no room waits in its caller's promise.
 */
export class Batcher {
  readonly #settings: BatcherSettings
  readonly #queues = new TaskQueues()
  readonly #wakeUp = new WakeUp(() => this.#pump())
  readonly #cut = new AbortController()
  readonly #barriers = new Barriers()
  readonly #gate: Gate
  readonly #inFlight = new Set<PendingEvent>()
  readonly #counts = { accepted: 0, refused: 0, failed: 0, aborted: 0, returned: 0 }
  #waiting: PendingEvent[] = []
  /** Events that have room: in the queue or under way. */
  #held = { events: 0, bytes: 0 }
  #awaited = 0
  #seq = 0
  #requests = 0
  #requestCount = 0
  #retryCount = 0
  #batchBytes: number
  #closed = false

  constructor(settings: BatcherSettings) {
    this.#settings = settings
    this.#batchBytes = settings.batch.bytes
    this.#gate = new Gate(settings.backOff)
  }

  get isClosed(): boolean {
    return this.#closed
  }

  /** Whether an event would find room at once. */
  get hasRoom(): boolean {
    const { queue } = this.#settings
    return this.#waiting.length === 0 && this.#held.events < queue.events && this.#held.bytes < queue.bytes
  }

  /** Takes an event. `ticket` is that of the spool, when it is kept there already. */
  add(call: SendCall, index: number, encoded: EncodedEvent, ticket?: number): PendingEvent {
    this.#seq += 1
    const event: PendingEvent = {
      encoded,
      call,
      index,
      seq: this.#seq,
      queue: undefined,
      atMs: Date.now(),
      ticket: ticket ?? this.#settings.spool?.append(encoded.json),
      isReminted: false,
      isSettled: false,
    }
    if (call.isAwaited) this.#wakeUp.keepAlive((this.#awaited += 1) > 0)
    if (this.hasRoom) this.#enqueue(event)
    else this.#waiting.push(event)
    return event
  }

  /** Takes an event back. One that is under way is only let go of: it may still be accepted. */
  abort(event: PendingEvent, reason: Error): void {
    if (event.isSettled) return
    const at = this.#waiting.indexOf(event)
    if (at !== -1) this.#waiting.splice(at, 1)
    else if (!this.#queues.remove(event)) {
      event.call.settle(event, { type: 'aborted', error: reason })
      return
    }
    this.#settle(event, { type: 'aborted', error: reason })
    this.#pump()
  }

  /** Resolves when all that was added before is settled. Sends at once. */
  async flush(): Promise<void> {
    const left = this.#held.events + this.#waiting.length
    if (left === 0) return
    const settled = this.#barriers.wait(this.#seq, left)
    this.#pump()
    await settled
  }

  /** Posts what fits into one request that a browser finishes after its page has gone. */
  postLast(bytes: number): void {
    const batch = this.#queues.take({ events: this.#settings.batch.events, bytes })
    if (batch.length > 0) void this.#post(batch, true)
  }

  /** Takes no more; waits for what is there, at most `timeoutMs`; gives back what could not be sent, in order. */
  async close(timeoutMs: number): Promise<readonly EncodedEvent[]> {
    this.#closed = true
    let timer: ReturnType<typeof setTimeout> | undefined
    const expired = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs)
    })
    await Promise.race([this.flush(), expired])
    clearTimeout(timer)
    const rest = [...this.#inFlight, ...this.#queues.removeAll(), ...this.#waiting].toSorted((a, b) => a.seq - b.seq)
    this.#waiting = []
    const error = new ClosedError('The client was closed before the event was accepted.')
    for (const event of rest) this.#settle(event, { type: 'returned', error })
    this.#inFlight.clear()
    this.#cut.abort(error)
    this.#wakeUp.cancel()
    this.#settings.spool?.close()
    return rest.map(({ encoded }) => encoded)
  }

  stats(): SendStats {
    const { accepted, refused, failed, aborted, returned } = this.#counts
    return {
      sent: this.#seq,
      accepted,
      refused,
      failed,
      aborted,
      returned,
      waiting: this.#waiting.length,
      queued: this.#held.events - this.#inFlight.size,
      in_flight: this.#inFlight.size,
      requests: this.#requestCount,
      retries: this.#retryCount,
    }
  }

  #enqueue(event: PendingEvent): void {
    this.#held.events += 1
    this.#held.bytes += event.encoded.bytes
    this.#queues.add(event)
    const { batch, lingerMs } = this.#settings
    if (this.#queues.readyEvents >= batch.events || this.#queues.readyBytes >= this.#batchBytes) this.#pump()
    else this.#wakeUp.at(Math.max(this.#gate.untilMs, event.atMs + lingerMs))
  }

  /** Posts as many batches as are due and allowed, and sees to it that it is called when the next one is due. */
  #pump(): void {
    const { batch, lingerMs, requestsMax } = this.#settings
    const nowMs = Date.now()
    const nextHeldMs = this.#queues.releaseHeld(nowMs)
    if (nextHeldMs < Infinity) this.#wakeUp.at(nextHeldMs)
    while (this.#queues.readyEvents > 0 && this.#requests < requestsMax) {
      if (nowMs < this.#gate.untilMs) {
        this.#wakeUp.at(this.#gate.untilMs)
        return
      }
      const isFull = this.#queues.readyEvents >= batch.events || this.#queues.readyBytes >= this.#batchBytes
      const dueMs = this.#queues.readySinceMs + lingerMs
      if (!isFull && this.#barriers.isEmpty && nowMs < dueMs) {
        this.#wakeUp.at(dueMs)
        return
      }
      void this.#post(this.#queues.take({ events: batch.events, bytes: this.#batchBytes }), false)
    }
  }

  async #post(batch: readonly PendingEvent[], keepalive: boolean): Promise<void> {
    const queues = new Set<TaskQueue>()
    for (const event of batch) {
      this.#inFlight.add(event)
      if (event.queue !== undefined) queues.add(event.queue)
    }
    const request = new BatchRequest({
      post: async (events) => await this.#postEvents(events, keepalive),
      judge: (event, result) => this.#judge(event, result),
      settle: (event, outcome) => this.#settle(event, outcome),
      heldUntilMs: (queue, retryAfterMs) => this.#heldUntilMs(queue, retryAfterMs),
    })
    this.#requests += 1
    try {
      await request.run(batch)
    } catch {
      return // Cut by `close`, which has settled all.
    } finally {
      this.#requests -= 1
    }
    for (const event of batch) this.#inFlight.delete(event)
    for (const queue of queues) this.#queues.release(queue, request.kept.get(queue) ?? [], request.held.get(queue) ?? 0)
    this.#admit()
    this.#pump()
  }

  async #postEvents(events: readonly PendingEvent[], keepalive: boolean): Promise<BatchResult> {
    this.#requestCount += 1
    const { signal } = this.#cut
    const result = await postBatch(this.#settings.transport, events, { signal, keepalive })
    signal.throwIfAborted()
    this.#noteResult(result, events)
    return result
  }

  /** Closes the gate for all after a failure of a whole request, and opens it after a success. */
  #noteResult(result: BatchResult, events: readonly PendingEvent[]): void {
    const { batch, logger } = this.#settings
    if (result.type === 'results') {
      this.#gate.succeeded()
      // Grows back, since a limit on the way may have been lifted.
      this.#batchBytes = Math.min(batch.bytes, Math.ceil(this.#batchBytes * 1.25))
    } else if (result.type === 'again') {
      this.#retryCount += 1
      const waitMs = this.#gate.failed(result.retryAfterMs)
      logger?.warn(`${events.length} events are posted again in ${waitMs} ms: ${result.error.message}`)
    } else if (result.isTooLarge) {
      const bytes = events.reduce((sum, { encoded }) => sum + encoded.bytes, 0)
      this.#batchBytes = Math.max(BATCH_BYTES_MIN, Math.floor(bytes / 2))
    }
  }

  #heldUntilMs(queue: TaskQueue, retryAfterMs: number): number {
    queue.failures += 1
    this.#retryCount += 1
    return Date.now() + backOffMs(queue.failures, retryAfterMs, this.#settings.backOff)
  }

  /** A refused id was never written: an event whose id came from a wrong clock gets another one, once. */
  #judge(event: PendingEvent, result: EventResult): EventResult {
    if (result.type !== 'refused' || !event.encoded.isMinted || event.isReminted) return result
    if (!isClockError(result.error)) return result
    event.isReminted = true
    event.encoded = withId(event.encoded, this.#settings.mintId())
    return RETRY
  }

  #settle(event: PendingEvent, outcome: Outcome): void {
    if (event.isSettled) return
    event.isSettled = true
    this.#counts[outcome.type] += 1
    const { encoded, queue, call, ticket, seq } = event
    if (queue !== undefined) {
      this.#held.events -= 1
      this.#held.bytes -= encoded.bytes
      if (outcome.type === 'accepted') queue.failures = 0
    }
    if (ticket !== undefined && outcome.type !== 'returned') this.#settings.spool?.settle(ticket)
    if (call.isAwaited) this.#wakeUp.keepAlive((this.#awaited -= 1) > 0)
    call.settle(event, outcome)
    this.#barriers.settled(seq)
  }

  /** Lets those in who wait for room. */
  #admit(): void {
    const { queue } = this.#settings
    let admitted = 0
    while (admitted < this.#waiting.length && this.#held.events < queue.events && this.#held.bytes < queue.bytes) {
      const event = this.#waiting[admitted]
      admitted += 1
      if (event !== undefined) this.#enqueue(event)
    }
    this.#waiting.splice(0, admitted)
  }
}

const RETRY = { type: 'retry' } as const

/** Whether an id was refused because the clock that minted it was wrong: it lies too far ahead, or before the history that is kept. */
function isClockError({ code, pointer }: { readonly code: string; readonly pointer: string }): boolean {
  return code === 'out_of_range' && pointer === '/id'
}
