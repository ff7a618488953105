import { ClosedError, EventRefusedError } from '../errors.ts'
import { BACK_OFF } from '../http/back-off.ts'
import type { ServerClock } from '../http/server-clock.ts'
import type { Transport } from '../http/transport.ts'
import type { SendOptions } from '../options.ts'
import { onLeaving } from '../platform.ts'
import type { Logger, NewEvent } from '../types.ts'
import { AwaitedCall } from './awaited-call.ts'
import { Batcher } from './batcher.ts'
import { decodeEvent, encodeEvent, EVENT_BYTES_MAX, readEncoded, type EncodedEvent } from './encode-event.ts'
import { EventIdMinter } from './event-id.ts'
import type { PendingEvent, SendCall, SentEvent } from './pending-event.ts'
import type { SendStats } from './send-stats.ts'
import type { SpooledEvent } from './spool.ts'

/** What {@link Sender} needs. */
export interface SenderDeps {
  readonly transport: Transport
  readonly clock: ServerClock
  readonly options: SendOptions
  readonly logger: Logger | undefined
}

/** How long a process that has nothing else to do waits for events that no caller awaits. */
const EXIT_MS = 30_000

/** The sending half of a client: encodes events, gives them ids, and hands them to the batcher. */
export class Sender {
  readonly #deps: SenderDeps
  readonly #batcher: Batcher
  readonly #minter = new EventIdMinter()
  readonly #unawaited: SendCall
  #stopListening: (() => void) | undefined
  #exitTimer: ReturnType<typeof setTimeout> | undefined
  #closing: Promise<readonly NewEvent[]> | undefined

  constructor(deps: SenderDeps) {
    this.#deps = deps
    const { transport, options, logger } = deps
    this.#batcher = new Batcher({
      lingerMs: options.lingerMs ?? 5,
      batch: { events: options.batchEventsMax ?? 1000, bytes: options.batchBytesMax ?? EVENT_BYTES_MAX },
      requestsMax: options.requestsMax ?? 4,
      queue: { events: options.queueEventsMax ?? 10_000, bytes: options.queueBytesMax ?? 16 * 1024 * 1024 },
      backOff: BACK_OFF,
      transport,
      spool: options.spool,
      logger,
      mintId: () => this.#minter.mint(deps.clock.nowMs()),
    })
    this.#unawaited = {
      isAwaited: false,
      settle: (event, outcome) => {
        if (outcome.type === 'refused' || outcome.type === 'failed') this.#report(outcome.error, event.encoded)
      },
    }
    for (const spooled of options.spool?.recover() ?? []) this.#addRecovered(spooled)
  }

  send(
    events: NewEvent | readonly NewEvent[],
    signal: AbortSignal | undefined,
  ): Promise<SentEvent | readonly SentEvent[]> {
    const isSingle = !Array.isArray(events)
    const list = isSingle ? [events as NewEvent] : (events as readonly NewEvent[])
    return new Promise((resolve, reject) => {
      this.#refuseWhenClosed()
      signal?.throwIfAborted()
      const encoded = this.#encodeAll(list)
      if (encoded.length === 0) {
        resolve([])
        return
      }
      const finish = (sent: readonly SentEvent[]) => resolve(isSingle ? (sent[0] ?? { id: '' }) : sent)
      const call = new AwaitedCall(encoded.length, finish, reject)
      const pending = encoded.map((event, index) => this.#batcher.add(call, index, event))
      if (signal !== undefined) this.#abortBy(signal, call, pending)
    })
  }

  trySend(events: NewEvent | readonly NewEvent[]): boolean {
    this.#refuseWhenClosed()
    if (!this.#batcher.hasRoom) return false
    const list = Array.isArray(events) ? (events as readonly NewEvent[]) : [events as NewEvent]
    for (const [index, event] of this.#encodeAll(list).entries()) this.#batcher.add(this.#unawaited, index, event)
    return true
  }

  async flush(): Promise<void> {
    await this.#batcher.flush()
  }

  stats(): SendStats {
    return this.#batcher.stats()
  }

  close(timeoutMs: number): Promise<readonly NewEvent[]> {
    this.#closing ??= this.#batcher.close(timeoutMs).then((unsent) => {
      this.#stopListening?.()
      clearTimeout(this.#exitTimer)
      return unsent.map((event) => decodeEvent(event))
    })
    return this.#closing
  }

  #encodeAll(events: readonly NewEvent[]): EncodedEvent[] {
    const nowMs = this.#deps.clock.nowMs()
    this.#listen()
    return events.map((event, index) => {
      try {
        return encodeEvent(event, this.#minter, nowMs)
      } catch (error) {
        if (!(error instanceof EventRefusedError)) throw error
        throw new EventRefusedError(error.refusals.map((refusal) => ({ ...refusal, index })))
      }
    })
  }

  #abortBy(signal: AbortSignal, call: AwaitedCall, pending: readonly PendingEvent[]): void {
    const abort = () => {
      for (const event of pending) this.#batcher.abort(event, signal.reason as Error)
    }
    signal.addEventListener('abort', abort)
    call.whenDone = () => signal.removeEventListener('abort', abort)
  }

  #addRecovered({ ticket, json }: SpooledEvent): void {
    try {
      this.#batcher.add(this.#unawaited, 0, readEncoded(json), ticket)
      this.#listen()
    } catch {
      this.#deps.logger?.warn('The spool holds half an event, which `send` never took: it is left out.')
      this.#deps.options.spool?.settle(ticket)
    }
  }

  #report(error: Error, encoded: EncodedEvent): void {
    const { options, logger } = this.#deps
    logger?.warn(`The event ${encoded.id ?? ''} is given up: ${error.message}`)
    options.onFailed?.(error, decodeEvent(encoded))
  }

  #refuseWhenClosed(): void {
    if (this.#closing !== undefined) throw new ClosedError('The client is closed.')
  }

  #listen(): void {
    this.#stopListening ??= onLeaving({
      beforeExit: () => this.#beforeExit(),
      pageHide: (bytes) => this.#batcher.postLast(bytes),
    })
  }

  /** Node calls this whenever it runs out of work: once, what is left gets its time. */
  #beforeExit(): void {
    const { waiting, queued, in_flight: inFlight } = this.stats()
    if (this.#exitTimer !== undefined || waiting + queued + inFlight === 0) return
    this.#exitTimer = setTimeout(() => {
      this.#deps.logger?.warn(`The process ends before ${waiting + queued + inFlight} events are accepted.`)
    }, EXIT_MS)
    void this.#flushAtExit()
  }

  async #flushAtExit(): Promise<void> {
    await this.#batcher.flush()
    clearTimeout(this.#exitTimer)
    this.#exitTimer = undefined
  }
}
