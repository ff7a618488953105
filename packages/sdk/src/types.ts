import type {
  Event as ApiEvent,
  EventDataByType,
  NewEvent as ApiNewEvent,
  QueriedEvent as ApiQueriedEvent,
} from './api-types.ts'

/** The type of an event, such as `task.progress`. */
export type EventType = keyof EventDataByType

/** The event of one type, as the API shows it. */
export type EventOf<T extends EventType> = Omit<ApiEvent, 'type' | 'data'> & {
  readonly type: T
  /** The payload. Members that the catalogue does not name are kept. */
  readonly data: EventDataByType[T] & Readonly<Record<string, unknown>>
}

/** An event. `switch (event.type)` narrows `event.data`; keep a `default`, as types may be added. */
export type Event = { [T in EventType]: EventOf<T> }[EventType]

/**
 * JSON text, or its UTF-8 bytes, that is sent as it stands: for numbers that JavaScript rounds and for members whose order matters. It must be
 * one JSON object.
 */
export type RawJson = string | Uint8Array

/** An event to send. `data` may be an object, or JSON text or bytes that are sent untouched. */
export type NewEvent = {
  [T in EventType]: Omit<Extract<ApiNewEvent, { readonly type: T }>, 'data'> & {
    readonly data: (EventDataByType[T] & Readonly<Record<string, unknown>>) | RawJson
  }
}[EventType]

/** What a stream is narrowed to. All conditions must hold. */
export interface StreamFilter {
  readonly task_id?: string
  readonly session_id?: string
  readonly agent?: string
  /** Exact types. */
  readonly types?: readonly EventType[]
}

/** Says that the position of a stream could not be kept: some events may be gone for good, others may come again. */
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
export type QueriedEvent = Event & Pick<ApiQueriedEvent, 'log' | 'deliveries' | 'deliveries_truncated'>

/** An event of a stream. */
export type StreamedEvent = Event & {
  /** `data` as it was posted, without white space: numbers are not rounded. Not enumerable. */
  readonly rawData: string
}

/** What a stream yields. */
export type StreamItem = StreamedEvent | StreamReset

/** Where the SDK writes what is worth knowing; `console` fits. */
export interface Logger {
  warn(message: string): void
  debug(message: string): void
}
