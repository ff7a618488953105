import type { GetEventQuery, ListEventsQuery } from './api-types.ts'
import type { CallOptions } from './http/transport.ts'
import type { List } from './lists.ts'
import { path, Resource } from './resources/resource.ts'
import type { SentEvent } from './send/pending-event.ts'
import type { SendStats } from './send/send-stats.ts'
import type { SendCallOptions, Sender } from './send/sender.ts'
import { EventStream, type StreamDeps, type StreamOptions } from './stream/event-stream.ts'
import type { NewEvent, QueriedEvent } from './types.ts'

/** Events: sending, reading, and listening to them. */
export class Events extends Resource {
  readonly #sender: Sender
  readonly #streamDeps: StreamDeps

  constructor(streamDeps: StreamDeps, sender: Sender) {
    super(streamDeps.transport)
    this.#streamDeps = streamDeps
    this.#sender = sender
  }

  /** Resolves with the id once the server has accepted the event. */
  send(event: NewEvent, options?: SendCallOptions): Promise<SentEvent>
  /** Resolves with the ids, in order, once the server has accepted all. */
  send(events: readonly NewEvent[], options?: SendCallOptions): Promise<readonly SentEvent[]>
  /**
   * Events of calls that are made at about the same time share requests. While the server cannot take them they are posted again, for as long as
   * the client is open, under the same ids, so that nothing is doubled; events of one task keep their order. While the queue is full the promise
   * waits: await it, and memory stays bounded.
   *
   * Rejects with an EventRefusedError (its `pointer` names what is wrong), an ApiError when the key is refused, a ClosedError when `close` gives
   * the event back, what a spool throws that cannot keep it, a TimeoutError after `timeoutMs`, or the signal's reason. At these two an event that
   * was not posted is withdrawn; one that was may still be accepted: `ids` of the TimeoutError names it.
   */
  send(
    events: NewEvent | readonly NewEvent[],
    options: SendCallOptions = {},
  ): Promise<SentEvent | readonly SentEvent[]> {
    return this.#sender.send(events, options)
  }

  /**
   * Takes all events if there is room for them at once, else returns false and takes none; more than `queueEventsMax` never find room. Their
   * outcome is reported by `stats` and, when they are given up, by `onFailed`. Throws an EventRefusedError for what can never be sent, what a spool
   * throws that cannot keep it, and a ClosedError after `close`.
   */
  trySend(events: NewEvent | readonly NewEvent[]): boolean {
    return this.#sender.trySend(events)
  }

  /** Resolves when all that was sent before this call is accepted or given up; sends at once. Calls may overlap. */
  async flush(): Promise<void> {
    await this.#sender.flush()
  }

  stats(): SendStats {
    return this.#sender.stats()
  }

  /** Events as they happen, to loop over: from now on, from `after`, or from a position. */
  stream(options: StreamOptions = {}): EventStream {
    return new EventStream(this.#streamDeps, options)
  }

  /** Newest first, unless `order` is `asc`. */
  list(query?: ListEventsQuery, options?: CallOptions): List<QueriedEvent> {
    return this.pages('/v1/events', query, options)
  }

  /** `include` adds how the event went through the log, or its deliveries. */
  async get(id: string, query?: GetEventQuery, options?: CallOptions): Promise<QueriedEvent> {
    return await this.read(path`/v1/events/${id}`, query, options)
  }
}
