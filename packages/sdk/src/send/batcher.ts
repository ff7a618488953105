import { AriftlyError, ClosedError } from '../errors.ts'
import type { ServerClock } from '../http/server-clock.ts'
import { isTemporary } from '../http/temporary.ts'
import { startTimer, type Timer } from '../http/timer.ts'
import { retryAfterOf, type Transport } from '../http/transport.ts'
import type { Log } from '../log.ts'
import type { EncodedEvent } from './encode-event.ts'
import { EventIdMinter } from './event-id.ts'
import { Pace } from './pace.ts'
import type { Outcome, PendingEvent, SendCall, TaskQueue } from './pending-event.ts'
import { isClockRefusal, postBatch, RETRY, staysInSpool, type BatchResult } from './post-batch.ts'
import type { SendStats } from './send-stats.ts'
import type { Spool, SpoolEntry } from './spool.ts'
import { TaskQueues, type BatchLimit } from './task-queues.ts'

/** How a batcher works; see `SendOptions` for units and defaults. */
export interface BatcherSettings {
  readonly lingerMs: number
  readonly batch: BatchLimit
  readonly requestsMax: number
  readonly queue: BatchLimit
  readonly transport: Transport
  readonly clock: ServerClock
  readonly spool: Spool | undefined
  readonly log: Log
}

/**
 * Sends events in batches: several requests at a time, each task in one of them at most, so that order per task holds under retry. Nothing is
 * dropped: an event is accepted, refused, or given back by `end`. Times are monotonic milliseconds, so a step of the clock changes no wait.
 */
export class Batcher {
  readonly #settings: BatcherSettings
  readonly #queues = new TaskQueues()
  readonly #minter = new EventIdMinter()
  readonly #pace: Pace
  readonly #closed = new AbortController()
  readonly #batches = new Set<readonly PendingEvent[]>()
  readonly #counts = { accepted: 0, refused: 0, failed: 0, aborted: 0, returned: 0 }
  /** Events that are not settled. */
  readonly #held = { events: 0, bytes: 0 }
  #flushes: { readonly seq: number; left: number; readonly resolve: () => void }[] = []
  #inFlight = 0
  #seq = 0
  #requestCount = 0
  #retryCount = 0
  /** The loop sleeps until then; -Infinity while it runs. */
  #sleepsUntilMs = -Infinity
  #wake = () => {}
  #timer: (Timer & { ref?(): void; unref?(): void }) | undefined
  /** Promises that wait for outcomes: while there are any, the timer keeps a Node process alive. */
  #awaited = 0

  constructor(settings: BatcherSettings) {
    this.#settings = settings
    this.#pace = new Pace(settings.transport, settings.log, settings.batch)
    void this.#run()
  }

  get isClosed(): boolean {
    return this.#closed.signal.aborted
  }

  get isEmpty(): boolean {
    return this.#held.events === 0
  }

  /** Whether the queue has room for this many events and bytes; an empty queue has room for a single event of any size. */
  hasRoom(events: number, bytes: number): boolean {
    const { queue } = this.#settings
    if (this.#held.events + events > queue.events) return false
    return this.#held.bytes + bytes <= queue.bytes || (events === 1 && this.isEmpty)
  }

  /** Takes all events or, when the spool throws, none. `tickets` are of events that the spool has already, with their ids. */
  add(call: SendCall, events: readonly EncodedEvent[], tickets?: readonly number[]): readonly PendingEvent[] {
    const ids = events.map((encoded) => encoded.id ?? this.#mint(encoded))
    const kept = tickets ?? this.#settings.spool?.append(events.map((encoded, at) => entryOf(encoded, ids[at])))
    const sinceMs = performance.now()
    if (call.isAwaited) this.#keepAlive(events.length)
    return events.map((encoded, index) => {
      const event: PendingEvent = {
        encoded,
        call,
        index,
        seq: (this.#seq += 1),
        sinceMs,
        ticket: kept?.[index],
        id: ids[index],
        queue: undefined,
        mayHaveArrived: false,
        isWithdrawn: false,
        isReminted: false,
        isSettled: false,
      }
      this.#held.events += 1
      this.#held.bytes += encoded.bytes
      const isReady = this.#queues.add(event)
      if (isReady && this.#hasSlot && this.#dueMs < this.#sleepsUntilMs) this.#wake()
      return event
    })
  }

  /** Takes events back. Those in a request may still be accepted, and are not posted again. */
  withdraw(events: readonly PendingEvent[], error: Error): void {
    for (const event of events) {
      event.isWithdrawn = true
      if (this.#queues.remove(event)) this.#settle(event, { type: 'aborted', error })
    }
  }

  /** Sends immediately; resolves when all earlier events are settled, or after `timeoutMs`. */
  async flush(timeoutMs = Infinity): Promise<void> {
    if (this.isEmpty) return
    this.#keepAlive(1)
    await new Promise<void>((resolve) => {
      const timer = startTimer(resolve, timeoutMs)
      const done = () => {
        clearTimeout(timer)
        resolve()
      }
      this.#flushes.push({ seq: this.#seq, left: this.#held.events, resolve: done })
      this.#wake()
    })
    this.#keepAlive(-1)
  }

  /** Stops, and returns the unsettled events, in order. All have ids then, except where the server derives them. */
  end(): readonly PendingEvent[] {
    const { spool, log } = this.#settings
    const error = new ClosedError('The client was closed before the event was accepted.')
    this.#closed.abort(error)
    const unsettled = [...[...this.#batches].flat(), ...this.#queues.all()].toSorted((a, b) => a.seq - b.seq)
    this.#batches.clear()
    this.#inFlight = 0
    for (const event of unsettled) this.#settle(event, { type: event.isWithdrawn ? 'aborted' : 'returned', error })
    log.guard(() => spool?.close())
    this.#wake()
    return unsettled.filter(({ isWithdrawn }) => !isWithdrawn)
  }

  stats(): SendStats {
    const { events } = this.#held
    const waiting = Math.max(0, events - Math.max(this.#inFlight, this.#settings.queue.events))
    return {
      sent: this.#seq,
      ...this.#counts,
      waiting,
      queued: events - this.#inFlight - waiting,
      in_flight: this.#inFlight,
      requests: this.#requestCount,
      retries: this.#retryCount,
    }
  }

  /** Waits for the earliest of linger, gate and held task; takes; posts. */
  async #run(): Promise<void> {
    while (!this.isClosed) {
      const nowMs = performance.now()
      const heldMs = this.#queues.releaseHeld(nowMs)
      const untilMs = this.#hasSlot ? Math.min(this.#dueMs, Math.max(heldMs, this.#pace.gateMs)) : Infinity
      if (untilMs > nowMs) await this.#sleep(untilMs, nowMs)
      else void this.#post(this.#queues.take(this.#pace.limit))
    }
  }

  async #sleep(untilMs: number, nowMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#sleepsUntilMs = untilMs
      this.#wake = () => {
        this.#sleepsUntilMs = -Infinity
        resolve()
      }
      if (untilMs === Infinity) return
      this.#timer = startTimer(this.#wake, untilMs - nowMs)
      if (this.#awaited === 0) this.#timer.unref?.()
    })
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #keepAlive(more: number): void {
    this.#awaited += more
    if (this.#awaited === 0) this.#timer?.unref?.()
    else if (this.#awaited === more) this.#timer?.ref?.()
  }

  get #hasSlot(): boolean {
    return this.#batches.size < this.#settings.requestsMax
  }

  /** When to post the ready events: a full batch immediately, and all during a flush, but nothing before the gate opens. */
  get #dueMs(): number {
    const { readyEvents, readyBytes, readySinceMs } = this.#queues
    if (readyEvents === 0) return Infinity
    const { events, bytes } = this.#settings.batch
    const isFull = readyEvents >= events || readyBytes >= bytes
    const dueMs = isFull || this.#flushes.length > 0 ? 0 : readySinceMs + this.#settings.lingerMs
    return Math.max(dueMs, this.#pace.gateMs)
  }

  async #post(batch: readonly PendingEvent[]): Promise<void> {
    this.#batches.add(batch)
    this.#inFlight += batch.length
    this.#requestCount += 1
    const result = await this.#request(batch)
    // `end` has settled all.
    if (this.isClosed) return
    this.#batches.delete(batch)
    this.#inFlight -= batch.length
    this.#pace.learn(result, batch)
    if (result.type === 'again') this.#retryCount += 1
    this.#settleBatch(result, batch)
    this.#wake()
  }

  /** Any failure here, also of a caller's function, is retried, except one that is known to be final: a key that is none. */
  async #request(batch: readonly PendingEvent[]): Promise<BatchResult> {
    try {
      return await postBatch(this.#settings.transport, batch, this.#closed.signal)
    } catch (thrown) {
      const error = thrown as Error
      if (!(error instanceof AriftlyError) || isTemporary(error)) return { type: 'again', error }
      return { type: 'results', results: batch.map(() => ({ type: 'failed', error })) }
    }
  }

  /** The id of an event, from the call's time by the server's clock, as far as it is known; undefined where the server derives it. */
  #mint({ atMs, mintedOf }: EncodedEvent): string | undefined {
    if (mintedOf === undefined) return undefined
    return this.#minter.mint(mintedOf === 'call' ? this.#settings.clock.correct(atMs) : atMs)
  }

  /** Gives an event another id: it was not written under the one that was refused, so this makes no second event. A spool has it before the request. */
  #remint(event: PendingEvent): void {
    const { spool, log } = this.#settings
    const { encoded, ticket } = event
    const id = this.#mint(encoded) as string
    log.guard(() => {
      if (ticket !== undefined) spool?.replaceId(ticket, id)
      event.id = id
      event.isReminted = true
    })
  }

  /** Settles the decided events; the others are kept, in order, and are first in their task. */
  #settleBatch(result: BatchResult, batch: readonly PendingEvent[]): void {
    const kept = new Map<TaskQueue, PendingEvent[]>()
    for (let at = 0; at < batch.length; at += 1) {
      const event = batch[at] as PendingEvent
      const queue = event.queue as TaskQueue
      let events = kept.get(queue)
      if (events === undefined) kept.set(queue, (events = []))
      let outcome = result.type === 'results' ? (result.results[at] ?? RETRY) : RETRY
      if (isClockRefusal(outcome, event)) {
        this.#remint(event)
        outcome = RETRY
      }
      if (outcome.type !== 'retry') this.#settle(event, outcome)
      else if (event.isWithdrawn) this.#settle(event, { type: 'aborted', error: new ClosedError('') })
      else events.push(event)
    }
    // A task of which an entry was not written waits alone; after a request that failed all wait, at the gate.
    const askedMs = result.type === 'results' ? retryAfterOf(result.answer) : undefined
    for (const [queue, events] of kept) this.#release(queue, events, askedMs)
  }

  #release(queue: TaskQueue, kept: readonly PendingEvent[], askedMs: number | undefined): void {
    let heldUntilMs = 0
    if (kept.length === 0) queue.failures = 0
    else if (askedMs !== undefined) {
      queue.failures += 1
      this.#retryCount += 1
      heldUntilMs = performance.now() + this.#settings.transport.backOffMs(queue.failures, askedMs)
    }
    this.#queues.release(queue, kept, heldUntilMs)
  }

  #settle(event: PendingEvent, outcome: Outcome): void {
    event.isSettled = true
    this.#counts[outcome.type] += 1
    const { encoded, call, ticket, seq } = event
    const { spool, log } = this.#settings
    this.#held.events -= 1
    this.#held.bytes -= encoded.bytes
    if (ticket !== undefined && !staysInSpool(outcome)) log.guard(() => spool?.settle(ticket))
    if (call.isAwaited) this.#keepAlive(-1)
    call.settle(event, outcome)
    for (const flush of this.#flushes) if (seq <= flush.seq && (flush.left -= 1) === 0) flush.resolve()
    if (this.#flushes.length > 0) this.#flushes = this.#flushes.filter(({ left }) => left > 0)
  }
}

function entryOf({ text, atMs, mintedOf }: EncodedEvent, id: string | undefined): SpoolEntry {
  return { json: `{${text}`, atMs, id: mintedOf === undefined ? undefined : id }
}
