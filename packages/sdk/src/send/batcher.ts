import { ClosedError, ConnectionError } from '../errors.ts'
import type { ServerClock } from '../http/server-clock.ts'
import { startTimer, type Timer } from '../http/timer.ts'
import { retryAfterOf, type Transport } from '../http/transport.ts'
import type { Log } from '../log.ts'
import type { EncodedEvent } from './encode-event.ts'
import { EventIdMinter } from './event-id.ts'
import type { PendingEvent, Outcome, SendCall, TaskQueue } from './pending-event.ts'
import { isClockRefusal, postBatch, quotaOf, RETRY, staysInSpool, type BatchResult } from './post-batch.ts'
import type { SendStats } from './send-stats.ts'
import type { Spool } from './spool.ts'
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

/** Where events of an earlier process are in the spool, and the ids under which they went out. */
export interface Recovered {
  readonly tickets: readonly number[]
  readonly ids: readonly (string | undefined)[]
}

/** Failures in a row after which the caller is warned. */
const FAILURES_TO_WARN = 3
/** Limits that were lowered after an answer grow by this part with each success, since what lowered them may be gone. */
const GROWTH = 1.25

/**
 * Sends events in batches: several requests at a time, each task in one of them at most, so that order per task holds under retry. Nothing is
 * dropped: an event is accepted, refused, or given back by `end`. The queue is bounded; what finds no room waits in its caller's promise.
 * Times are monotonic milliseconds, so a step of the clock changes no wait.
 */
export class Batcher {
  readonly #settings: BatcherSettings
  readonly #queues = new TaskQueues()
  readonly #minter = new EventIdMinter()
  readonly #closed = new AbortController()
  readonly #batches = new Set<readonly PendingEvent[]>()
  readonly #counts = { accepted: 0, refused: 0, failed: 0, aborted: 0, returned: 0 }
  /** Events that have room: in the queue or in requests. */
  readonly #held = { events: 0, bytes: 0 }
  #waiting: PendingEvent[] = []
  #flushes: { readonly seq: number; left: number; readonly resolve: () => void }[] = []
  #inFlight = 0
  #seq = 0
  #requestCount = 0
  #retryCount = 0
  /** Rounds of failed requests since the last success. */
  #failures = 0
  /** No request leaves before: `#askedMs` is the part of it that the server asked for. */
  #gateMs = 0
  #askedMs = 0
  #hasSucceeded = false
  /** What the server, or a proxy before it, takes in one request. */
  #limit: BatchLimit
  #quota: BatchLimit = { events: Infinity, bytes: Infinity }
  /** The loop sleeps until then; -Infinity while it runs. */
  #sleepsUntilMs = -Infinity
  #wake = () => {}
  #timer: (Timer & { ref?(): void; unref?(): void }) | undefined
  /** Promises that wait for outcomes. They keep a Node process alive, as the timer does then. */
  #awaited = 0

  constructor(settings: BatcherSettings) {
    this.#settings = settings
    this.#limit = settings.batch
    void this.#run()
  }

  get isClosed(): boolean {
    return this.#closed.signal.aborted
  }

  /** Whether events with so many bytes would find room at once. A single one finds it in an empty queue, whatever its size. */
  hasRoom(events: number, bytes: number): boolean {
    const { queue } = this.#settings
    if (this.#waiting.length > 0 || this.#held.events + events > queue.events) return false
    return this.#held.bytes + bytes <= queue.bytes || (events === 1 && this.#held.events === 0)
  }

  /** Takes all events or, when the spool throws, none. */
  add(call: SendCall, events: readonly EncodedEvent[], recovered?: Recovered): readonly PendingEvent[] {
    const { spool } = this.#settings
    const tickets = recovered?.tickets ?? spool?.append(events.map(({ text, atMs }) => ({ json: `{${text}`, atMs })))
    const sinceMs = performance.now()
    return events.map((encoded, index) => {
      const id = recovered?.ids[index] ?? encoded.id
      const flags = { isPosted: false, isWithdrawn: false, isReminted: false, isSettled: false }
      const seq = (this.#seq += 1)
      const event = { encoded, call, index, seq, sinceMs, ticket: tickets?.[index], id, queue: undefined, ...flags }
      if (call.isAwaited) this.#keepAlive(1)
      if (this.hasRoom(1, encoded.bytes)) this.#enqueue(event)
      else this.#waiting.push(event)
      return event
    })
  }

  /** Takes events back: those in a request may still be accepted, and are not posted again. */
  withdraw(events: readonly PendingEvent[], error: Error): void {
    for (const event of events) event.isWithdrawn = true
    this.#waiting = this.#waiting.filter(({ isWithdrawn }) => !isWithdrawn)
    for (const event of events) {
      if (event.queue === undefined || this.#queues.remove(event)) this.#settle(event, { type: 'aborted', error })
    }
    this.#admit()
    this.#wake()
  }

  /** Resolves when all that was added before is settled, or after `timeoutMs`. Sends at once. */
  async flush(timeoutMs?: number): Promise<void> {
    const left = this.#held.events + this.#waiting.length
    if (left === 0) return
    this.#keepAlive(1)
    await new Promise<void>((resolve) => {
      const timer = timeoutMs === undefined ? undefined : startTimer(resolve, timeoutMs)
      const done = () => {
        clearTimeout(timer)
        resolve()
      }
      this.#flushes.push({ seq: this.#seq, left, resolve: done })
      this.#wake()
    })
    this.#keepAlive(-1)
  }

  /** Stops, and gives back what is not settled, in order. All has ids then, except where the server derives them. */
  end(): readonly PendingEvent[] {
    const { spool, log } = this.#settings
    const all = [...[...this.#batches].flat(), ...this.#queues.removeAll(), ...this.#waiting]
    const rest = all.filter(({ isSettled }) => !isSettled).toSorted((a, b) => a.seq - b.seq)
    const error = new ClosedError('The client was closed before the event was accepted.')
    this.#closed.abort(error)
    this.#batches.clear()
    this.#waiting = []
    this.#inFlight = 0
    log.guard(() => this.#identify(rest))
    for (const event of rest) this.#settle(event, { type: event.isWithdrawn ? 'aborted' : 'returned', error })
    log.guard(() => spool?.close())
    this.#wake()
    return rest.filter(({ isWithdrawn }) => !isWithdrawn)
  }

  stats(): SendStats {
    return {
      sent: this.#seq,
      ...this.#counts,
      waiting: this.#waiting.length,
      queued: this.#held.events - this.#inFlight,
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
      const dueMs = Math.max(this.#gateMs, Math.min(heldMs, this.#readyMs()))
      if (this.#batches.size >= this.#settings.requestsMax) await this.#sleep(Infinity, nowMs)
      else if (dueMs > nowMs) await this.#sleep(dueMs, nowMs)
      else void this.#post(this.#queues.take(this.#batchLimit()))
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

  #keepAlive(more: 1 | -1): void {
    this.#awaited += more
    if (this.#awaited === 0) this.#timer?.unref?.()
    else if (this.#awaited === more) this.#timer?.ref?.()
  }

  /** When the ready events are due: a full batch is at once, and all are during a flush. */
  #readyMs(): number {
    const { readyEvents, readyBytes, readySinceMs } = this.#queues
    if (readyEvents === 0) return Infinity
    const isFull = readyEvents >= this.#limit.events || readyBytes >= this.#limit.bytes
    return isFull || this.#flushes.length > 0 ? 0 : readySinceMs + this.#settings.lingerMs
  }

  #batchLimit(): BatchLimit {
    const { events, bytes } = this.#quota
    return { events: Math.min(events, this.#limit.events), bytes: Math.min(bytes, this.#limit.bytes) }
  }

  #enqueue(event: PendingEvent): void {
    this.#held.events += 1
    this.#held.bytes += event.encoded.bytes
    if (!this.#queues.add(event) || this.#batches.size >= this.#settings.requestsMax) return
    if (Math.max(this.#gateMs, this.#readyMs()) < this.#sleepsUntilMs) this.#wake()
  }

  /** Lets in what waits for room, in order. */
  #admit(): void {
    const waiting = this.#waiting
    this.#waiting = []
    let admitted = 0
    for (
      let event = waiting[0];
      event !== undefined && this.hasRoom(1, event.encoded.bytes);
      event = waiting[admitted]
    ) {
      this.#enqueue(event)
      admitted += 1
    }
    this.#waiting = waiting.slice(admitted)
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
    this.#learn(result, batch)
    this.#settleBatch(result, batch)
    this.#admit()
    this.#wake()
  }

  /** Whatever fails here, of the user's functions too, is tried again. */
  async #request(batch: readonly PendingEvent[]): Promise<BatchResult> {
    try {
      this.#identify(batch)
      for (const event of batch) event.isPosted = true
      return await postBatch(this.#settings.transport, batch, this.#closed.signal)
    } catch (error) {
      return { type: 'again', error: error as Error }
    }
  }

  /** Mints the ids of events that go out for the first time: of the call's time by the server's clock. A spool has them before the request leaves. */
  #identify(events: readonly PendingEvent[]): void {
    const { clock, spool } = this.#settings
    const minted = events.filter(({ id, encoded }) => id === undefined && encoded.mintedOf !== undefined)
    const ids = new Map<number, string>()
    for (const event of minted) {
      const { atMs, mintedOf } = event.encoded
      event.id = this.#minter.mint(mintedOf === 'call' ? clock.correct(atMs) : atMs)
      if (event.ticket !== undefined) ids.set(event.ticket, event.id)
    }
    try {
      if (ids.size > 0) spool?.identify(ids)
    } catch (error) {
      for (const event of minted) event.id = undefined
      throw error
    }
  }

  /** Takes from an answer when the next request may leave, and how large it may be. */
  #learn(result: BatchResult, batch: readonly PendingEvent[]): void {
    const { events, bytes } = this.#limit
    const { answer } = result
    if (answer !== undefined && (answer.status === 429 || this.#quota.events + this.#quota.bytes < Infinity)) {
      this.#quota = quotaOf(answer)
    }
    if (result.type === 'again') this.#delay(result, batch.length)
    else if (result.type === 'tooLarge') {
      const posted = batch.reduce((sum, { encoded }) => sum + encoded.bytes, 0)
      this.#limit = { events: Math.ceil(batch.length / 2), bytes: Math.ceil(posted / 2) }
    } else {
      const { batch: max } = this.#settings
      this.#hasSucceeded = true
      this.#failures = 0
      this.#gateMs = Math.min(this.#gateMs, this.#askedMs)
      this.#limit = {
        events: Math.min(max.events, Math.ceil(events * GROWTH)),
        bytes: Math.min(max.bytes, bytes * GROWTH),
      }
    }
  }

  /** Closes the gate for all requests. Those that fail while it is closed belong to the same round. */
  #delay({ error, answer }: BatchResult & { readonly type: 'again' }, events: number): void {
    const { transport, log } = this.#settings
    const nowMs = performance.now()
    if (nowMs >= this.#gateMs) this.#failures += 1
    this.#retryCount += 1
    const askedMs = answer === undefined ? 0 : retryAfterOf(answer)
    const waitMs = transport.backOffMs(this.#failures, askedMs)
    this.#askedMs = Math.max(this.#askedMs, nowMs + Math.min(askedMs, waitMs))
    this.#gateMs = Math.max(this.#gateMs, nowMs + waitMs)
    const isWrong = error instanceof ConnectionError && error.isOfAddress && !this.#hasSucceeded
    const level = this.#failures === FAILURES_TO_WARN || (this.#failures === 1 && isWrong) ? 'warn' : 'debug'
    log[level](`${events} events are posted again in ${waitMs} ms. ${error.message}`)
  }

  /** Settles what is decided; the rest is kept, in order, and goes first in its task. */
  #settleBatch(result: BatchResult, batch: readonly PendingEvent[]): void {
    const queues = new Set<TaskQueue>()
    const kept = new Map<TaskQueue, PendingEvent[]>()
    for (const [at, event] of batch.entries()) {
      const queue = event.queue as TaskQueue
      queues.add(queue)
      let outcome = result.type === 'results' ? (result.results[at] ?? RETRY) : RETRY
      if (isClockRefusal(outcome, event)) {
        // It was not written: another id makes no second event.
        event.isReminted = true
        event.id = undefined
        outcome = RETRY
      }
      if (outcome.type !== 'retry') this.#settle(event, outcome)
      else if (event.isWithdrawn) this.#settle(event, { type: 'aborted', error: new ClosedError('Withdrawn.') })
      else {
        const events = kept.get(queue)
        if (events === undefined) kept.set(queue, [event])
        else events.push(event)
      }
    }
    for (const queue of queues) this.#release(queue, kept.get(queue) ?? [], result)
  }

  /** A task of which an entry was not written waits alone; after a whole request that failed all do, at the gate. */
  #release(queue: TaskQueue, kept: readonly PendingEvent[], result: BatchResult): void {
    let heldUntilMs = 0
    if (kept.length > 0 && result.type === 'results') {
      queue.failures += 1
      this.#retryCount += 1
      const { transport } = this.#settings
      heldUntilMs = performance.now() + transport.backOffMs(queue.failures, retryAfterOf(result.answer))
    }
    this.#queues.release(queue, kept, heldUntilMs)
  }

  #settle(event: PendingEvent, outcome: Outcome): void {
    if (event.isSettled) return
    event.isSettled = true
    this.#counts[outcome.type] += 1
    const { encoded, queue, call, ticket, seq } = event
    const { spool, log } = this.#settings
    if (queue !== undefined) {
      this.#held.events -= 1
      this.#held.bytes -= encoded.bytes
      if (outcome.type === 'accepted') queue.failures = 0
    }
    if (ticket !== undefined && !staysInSpool(outcome)) log.guard(() => spool?.settle(ticket))
    if (call.isAwaited) this.#keepAlive(-1)
    call.settle(event, outcome)
    if (this.#flushes.length === 0) return
    for (const flush of this.#flushes) if (seq <= flush.seq && (flush.left -= 1) === 0) flush.resolve()
    this.#flushes = this.#flushes.filter(({ left }) => left > 0)
  }
}
