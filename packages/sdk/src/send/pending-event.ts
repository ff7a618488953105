import type { EventRefusedError } from '../errors.ts'
import type { EncodedEvent } from './encode-event.ts'

/** One event between `send` and its outcome. It is written by the batcher alone, `mayHaveArrived` by what posts it. */
export interface PendingEvent {
  readonly encoded: EncodedEvent
  readonly call: SendCall
  /** Place in the call. */
  readonly index: number
  /** Rises with each event; a flush waits for those up to its own. */
  readonly seq: number
  /** When it was queued, monotonic milliseconds. */
  readonly sinceMs: number
  /** Its entry in the spool, if there is one. */
  readonly ticket: number | undefined
  /** Of the caller, or minted; undefined when the server derives it. */
  id: string | undefined
  /** Set once it has room. */
  queue: TaskQueue | undefined
  /** Whether the server may have it, of this attempt or an earlier one. */
  mayHaveArrived: boolean
  /** Its call has ended: it is not posted again. */
  isWithdrawn: boolean
  /** Its first minted id was refused because of a clock. */
  isReminted: boolean
  isSettled: boolean
}

/** The events of one task (or session) that are not in a request, in order. */
export interface TaskQueue {
  readonly key: string
  events: PendingEvent[]
  bytes: number
  /** `busy`: some of its events are in a request, and the rest waits, so that order holds under retry. `held`: until `heldUntilMs`. */
  state: 'ready' | 'busy' | 'held'
  /** Monotonic milliseconds. */
  heldUntilMs: number
  failures: number
}

/** What the server answered about an event that it accepted. */
export interface SentEvent {
  readonly id: string
}

/** What may become of an event. */
export type Outcome =
  | { readonly type: 'accepted'; readonly id: string }
  | { readonly type: 'refused'; readonly error: EventRefusedError }
  /** Without an answer about this event: a bad key, a closed client, a call that has ended. */
  | { readonly type: 'failed' | 'returned' | 'aborted'; readonly error: Error }

/** Collects the outcomes of one call. */
export interface SendCall {
  settle(event: PendingEvent, outcome: Outcome): void
  /** Whether a promise waits for the outcome. */
  readonly isAwaited: boolean
}
