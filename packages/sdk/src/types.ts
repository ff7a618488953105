import type { EventDataByType, EventOther, NewEvent as ApiNewEvent, Task as ApiTask } from './api-types.ts'

/** The type of an event, such as `task.progress`. */
export type EventType = keyof EventDataByType

/** What `include` adds to an event of the history. */
type Included = Pick<EventOther, 'log' | 'deliveries' | 'deliveries_truncated'>

/** The members of every event. */
type EventMembers = Omit<EventOther, 'type' | 'data' | keyof Included>

/** The event of one type, as the API shows it. */
export type EventOf<T extends EventType> = EventMembers & {
  readonly type: T
  /** The payload. Members that the catalogue does not name are kept. */
  readonly data: EventDataByType[T] & Readonly<Record<string, unknown>>
}

declare const laterType: unique symbol

/**
 * A type that this version of the SDK does not know; at run time it is any other string. With `string` here, also a branded one,
 * comparing `event.type` would not narrow `event.data`: TypeScript takes `string` as comparable to every literal.
 */
export type LaterEventType = 'a type that this version of the SDK does not know' & { readonly [laterType]: true }

/** An event of a type that this version of the SDK does not know. */
export type LaterEvent = EventMembers & {
  readonly type: LaterEventType
  readonly data: Readonly<Record<string, unknown>>
}

/** An event. Comparing `event.type` narrows `event.data`; keep a `default` in a `switch`, as types may be added. */
export type AriftlyEvent = { [T in EventType]: EventOf<T> }[EventType] | LaterEvent

/**
 * JSON text, or its UTF-8 bytes, sent unchanged: for numbers that JavaScript rounds and for members whose order matters. It must
 * be one JSON object.
 */
export type RawJson = string | Uint8Array

/**
 * An event to send. `data` may be an object, or JSON text or bytes that are sent untouched. Members that the catalogue does not name are those of
 * `Own`: `NewEvent<{ page: number }>`.
 */
export type NewEvent<Own extends object = object> = {
  [T in EventType]: Omit<Extract<ApiNewEvent, { readonly type: T }>, 'data'> & {
    readonly data: (EventDataByType[T] & Own) | RawJson
  }
}[EventType]

/** What a stream is narrowed to. All conditions must hold. */
export interface StreamFilter {
  readonly task_id?: string | undefined
  readonly session_id?: string | undefined
  readonly agent?: string | undefined
  /** Exact types. */
  readonly types?: readonly EventType[] | undefined
}

/** The position of a stream could not be kept: some events may be lost, others may be sent again. */
export interface StreamReset {
  readonly type: 'stream.reset'
  /** Why: `history_expired`, `log_changed` or `position_beyond_log`; others may be added. */
  readonly reason: string
  /** The position that was asked for. */
  readonly requested: string | null
  /** Where the stream continues. */
  readonly earliest: string | null
}

/** An event of the history, with what `include` asked for. */
export type QueriedEvent = AriftlyEvent & Included

/** A task with its `task.created` and its newest event. */
export type Task = Omit<ApiTask, 'created' | 'last'> & { readonly created: AriftlyEvent; readonly last: AriftlyEvent }

/** What every item of a stream has. */
interface Streamed {
  /** The position after this item: store it once the item is finished, and give it as `from`. Not enumerable. */
  readonly position: string | undefined
}

/** An event of a stream. */
export type StreamedEvent = AriftlyEvent &
  Streamed & {
    /** The posted `data` without white space: numbers are not rounded. Not enumerable. */
    readonly rawData: string
    /** The event as the JSON text that was received. Not enumerable. */
    readonly rawEvent: string
  }

/** What a stream yields. */
export type StreamItem = StreamedEvent | (StreamReset & Streamed)

/** Receives the SDK's messages; `console` fits. */
export interface Logger {
  warn(message: string): void
  debug(message: string): void
}
