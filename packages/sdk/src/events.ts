import type { GetEventQuery, ListEventsQuery } from './api-types.ts'
import type { CallOptions } from './http/transport.ts'
import type { List } from './lists.ts'
import { path, Resource } from './resources/resource.ts'
import type { SentEvent } from './send/pending-event.ts'
import type { SendStats } from './send/send-stats.ts'
import type { SendCallOptions, Sender } from './send/sender.ts'
import { EventStream, type StreamDeps, type StreamOptions } from './stream/event-stream.ts'
import type { NewEvent, QueriedEvent } from './types.ts'

/** A type parameter that is not inferred of an argument, on compilers before NoInfer too: an event would have any member then. */
type Given<Own extends object> = [Own][Own extends unknown ? 0 : never]

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
  send<Own extends object = object>(event: NewEvent<Given<Own>>, options?: SendCallOptions): Promise<SentEvent>
  /** Resolves with the ids, in order, once the server has accepted all. */
  send<Own extends object = object>(
    events: readonly NewEvent<Given<Own>>[],
    options?: SendCallOptions,
  ): Promise<readonly SentEvent[]>
  /**
   * Events of calls at about the same time share requests. While the server is unavailable they are posted again with the same
   * ids, so without duplicates, until the client is closed; events of one task keep their order. While the queue is full the
   * promise waits: await it, and memory stays bounded.
   *
   * Rejects with an EventRefusedError (its `pointer` names the fault), an ApiError when the key is refused, or a ClosedError
   * when `close` gives the event back. It also rejects with the error of a spool that cannot keep it, a TimeoutError after
   * `timeoutMs`, or the signal's reason. After the last two an event that was not posted is withdrawn; a posted one may still be accepted: `ids` of the
   * TimeoutError names it. `Own` are members of `data` that the catalogue does not name: `send<{ page: number }>(…)`.
   */
  send(
    events: NewEvent | readonly NewEvent[],
    options: SendCallOptions = {},
  ): Promise<SentEvent | readonly SentEvent[]> {
    return this.#sender.send(events, options)
  }

  /**
   * Takes all events if there is room for all of them now; otherwise returns false and takes none. More than `queueEventsMax`
   * never have room. Their outcome is reported by `stats` and, when they are given up, by `onFailed`. Throws an
   * EventRefusedError for events that can never be sent, the error of a spool that cannot keep them, and a ClosedError after
   * `close`.
   */
  trySend<Own extends object = object>(events: NewEvent<Given<Own>> | readonly NewEvent<Given<Own>>[]): boolean {
    return this.#sender.trySend(events)
  }

  /** Sends immediately; resolves when all earlier events are accepted or given up. Calls may overlap. */
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
