import type { AriftlyError, EventRefusedError } from '../errors.ts'
import type { EncodedEvent } from './encode-event.ts'

/** One event on its way. It is written by the batcher alone. */
export interface PendingEvent {
  encoded: EncodedEvent
  readonly call: SendCall
  /** Place in the call. */
  readonly index: number
  /** Rises with each event; a flush waits for those up to its own. */
  readonly seq: number
  /** Set once it has room. */
  queue: TaskQueue | undefined
  readonly atMs: number
  /** Of the spool, if there is one. */
  readonly ticket: number | undefined
  isReminted: boolean
  isSettled: boolean
}

/** The events of one task (or session) that are not under way, in order. */
export interface TaskQueue {
  readonly key: string
  events: PendingEvent[]
  bytes: number
  /** Some of its events are in a request: the rest waits, so that order holds under retry. */
  isBusy: boolean
  /** Nothing of it is posted before this time. */
  heldUntilMs: number
  failures: number
  /** Whether it stands among the ready ones. */
  isReady: boolean
}

/** What the server answered about an event that it accepted. */
export interface SentEvent {
  readonly id: string
}

/** What may become of an event. */
export type Outcome =
  | { readonly type: 'accepted'; readonly id: string }
  | { readonly type: 'refused'; readonly error: EventRefusedError }
  /** Without an answer that is about this event: a bad key, a closed client. */
  | { readonly type: 'failed' | 'returned' | 'aborted'; readonly error: AriftlyError | Error }

/** Collects the outcomes of one `send`. */
export interface SendCall {
  settle(event: PendingEvent, outcome: Outcome): void
  /** Whether somebody waits for the outcome. */
  readonly isAwaited: boolean
}
