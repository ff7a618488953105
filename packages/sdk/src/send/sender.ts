import { ClosedError, EventRefusedError, TimeoutError } from '../errors.ts'
import { onAbort } from '../http/abort.ts'
import type { ServerClock } from '../http/server-clock.ts'
import { startTimer } from '../http/timer.ts'
import type { Transport } from '../http/transport.ts'
import type { Log } from '../log.ts'
import type { SendOptions } from '../options.ts'
import { failProgram, onExit } from '../platform.ts'
import type { NewEvent } from '../types.ts'
import { Batcher } from './batcher.ts'
import { decodeEvent, encodeEvent, EVENT_BYTES_MAX, readEncoded, type EncodedEvent } from './encode-event.ts'
import type { PendingEvent, SendCall, SentEvent } from './pending-event.ts'
import { createAwaitedCall } from './send-call.ts'
import type { SendStats } from './send-stats.ts'
import type { SpooledEvent } from './spool.ts'

interface SenderDeps {
  readonly transport: Transport
  readonly clock: ServerClock
  readonly options: SendOptions
  readonly log: Log
}

/** What may be set for one `send`. */
export interface SendCallOptions {
  /** Takes the events back when it aborts. */
  readonly signal?: AbortSignal | undefined
  /** Takes the events back after this time; default: never. */
  readonly timeoutMs?: number | undefined
}

type EventOrEvents = NewEvent | readonly NewEvent[]

/** How long a process that has nothing else to do waits for events that no caller awaits. */
const EXIT_MS = 30_000
/** A clock that is set back less than this is waited for, so that the times of events do not fall. */
const STEP_BACK_MS = 1000

/** The sending half of a client: encodes events, hands them to the batcher, and sends or returns the rest at the end. */
export class Sender {
  readonly #deps: SenderDeps
  readonly #batcher: Batcher
  readonly #unawaited: SendCall
  #calledMs = 0
  #stopListening: (() => void) | undefined
  #isExiting = false
  #closing: Promise<readonly NewEvent[]> | undefined

  constructor(deps: SenderDeps) {
    this.#deps = deps
    const { options, ...shared } = deps
    const { spool } = options
    this.#batcher = new Batcher({
      ...shared,
      spool,
      lingerMs: options.lingerMs ?? 5,
      batch: { events: options.batchEventsMax ?? 1000, bytes: options.batchBytesMax ?? EVENT_BYTES_MAX },
      requestsMax: options.requestsMax ?? 4,
      queue: { events: options.queueEventsMax ?? 10_000, bytes: options.queueBytesMax ?? 16 * 1024 * 1024 },
    })
    this.#unawaited = {
      isAwaited: false,
      settle: (event, outcome) => {
        if (outcome.type === 'refused' || outcome.type === 'failed') this.#report(outcome.error, event)
      },
    }
    this.#recover(spool?.recover((text) => deps.log.warn(text)) ?? [])
  }

  async send(events: EventOrEvents, { signal, timeoutMs }: SendCallOptions): Promise<SentEvent | readonly SentEvent[]> {
    this.#refuseWhenClosed()
    signal?.throwIfAborted()
    const encoded = this.#encodeAll(listOf(events))
    const call = createAwaitedCall(encoded.length)
    const pending = this.#batcher.add(call, encoded)
    const withdraw = (error: Error) => {
      call.reject(error)
      this.#batcher.withdraw(pending, error)
    }
    const stop = onAbort(signal, () => withdraw(signal?.reason as Error))
    const expire = () => withdraw(timeoutOf(pending, timeoutMs))
    const timer = timeoutMs === undefined ? undefined : startTimer(expire, timeoutMs)
    try {
      const sent = await call.promise
      return Array.isArray(events) ? sent : (sent[0] as SentEvent)
    } finally {
      clearTimeout(timer)
      stop()
    }
  }

  trySend(events: EventOrEvents): boolean {
    this.#refuseWhenClosed()
    if (!this.#batcher.hasRoom(1, 1)) return false
    const encoded = this.#encodeAll(listOf(events))
    const bytes = encoded.reduce((sum, event) => sum + event.bytes, 0)
    if (!this.#batcher.hasRoom(encoded.length, bytes)) return false
    this.#batcher.add(this.#unawaited, encoded)
    return true
  }

  async flush(): Promise<void> {
    await this.#batcher.flush()
  }

  stats(): SendStats {
    return this.#batcher.stats()
  }

  close(timeoutMs: number): Promise<readonly NewEvent[]> {
    this.#closing ??= this.#batcher.flush(timeoutMs).then(() => {
      this.#stopListening?.()
      return this.#batcher.end().map(({ encoded, id }) => decodeEvent(encoded, id))
    })
    return this.#closing
  }

  #encodeAll(events: readonly NewEvent[]): EncodedEvent[] {
    const nowMs = Date.now()
    if (nowMs > this.#calledMs || this.#calledMs - nowMs > STEP_BACK_MS) this.#calledMs = nowMs
    this.#listen()
    return events.map((event, index) => {
      try {
        return encodeEvent(event, this.#calledMs)
      } catch (error) {
        if (!(error instanceof EventRefusedError)) throw error
        throw new EventRefusedError(error.refusals.map((refusal) => ({ ...refusal, index })))
      }
    })
  }

  #recover(spooled: readonly SpooledEvent[]): void {
    const { log, options } = this.#deps
    for (const { json, atMs, ticket, id } of spooled) {
      try {
        const encoded = readEncoded(json, atMs)
        this.#batcher.add(this.#unawaited, [{ ...encoded, id: id ?? encoded.id }], [ticket])
        this.#listen()
      } catch (error) {
        log.warn(`An event of the spool is left out. ${String(error)}`)
        log.guard(() => options.spool?.settle(ticket))
      }
    }
  }

  #listen(): void {
    this.#stopListening ??= onExit({ beforeExit: () => void this.#beforeExit(), exit: () => this.#end() })
  }

  #report(error: Error, { encoded, id }: PendingEvent): void {
    const { options, log } = this.#deps
    if (options.onFailed === undefined) log.warn(`The event ${id ?? ''} is given up. ${error.message}`)
    else log.guard(() => options.onFailed?.(error, decodeEvent(encoded, id)))
  }

  #refuseWhenClosed(): void {
    if (this.#closing !== undefined || this.#batcher.isClosed) throw new ClosedError('The client is closed.')
  }

  /** Called by Node when it runs out of work: the queued events get time to be sent. */
  async #beforeExit(): Promise<void> {
    if (this.#isExiting || this.#batcher.isEmpty) return
    this.#isExiting = true
    await this.#batcher.flush(EXIT_MS)
    this.#isExiting = false
    if (!this.#batcher.isEmpty) this.#end()
  }

  /** The program ends. What a spool keeps is not lost. */
  #end(): void {
    const lost = this.#batcher.end().filter(({ ticket }) => ticket === undefined)
    if (lost.length === 0) return
    this.#deps.log.warn(`The program ends before ${lost.length} events are accepted: they are lost.`)
    failProgram()
  }
}

function listOf(events: EventOrEvents): readonly NewEvent[] {
  return Array.isArray(events) ? (events as readonly NewEvent[]) : [events as NewEvent]
}

function timeoutOf(pending: readonly PendingEvent[], timeoutMs = 0): TimeoutError {
  const gone = pending.filter(({ mayHaveArrived, isSettled }) => mayHaveArrived && !isSettled)
  const ids = gone.flatMap(({ id }) => (id === undefined ? [] : [id]))
  const rest = gone.length === 0 ? 'Nothing has left' : `${gone.length} events may have left, and may still be`
  return new TimeoutError(`Not accepted within ${timeoutMs} ms. ${rest}.`, ids, gone.length > 0)
}
