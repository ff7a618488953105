import type { LogEvent } from '../log-event.ts'

/** An event that is valid by every rule and by its type's schema. */
export type ValidatedEvent = LogEvent

/** The codes of all bodies of the API, and the codes of an NDJSON line that cannot be read. */
type EntryErrorCode =
  | 'required'
  | 'unknown_member'
  | 'invalid_type'
  | 'invalid_value'
  | 'out_of_range'
  | 'too_long'
  | 'malformed_json'
  | 'invalid_utf8'

/** Why an entry was refused; `pointer` (RFC 6901) is relative to the entry. */
export interface EntryError {
  readonly code: EntryErrorCode
  readonly pointer: string
  /** Name of the header at fault; `pointer` is then empty and means nothing. */
  readonly parameter?: string
  readonly message: string
}

/** One entry of the request, in input order; a refused one has its id if it named a valid one. */
export type ValidatedEntry =
  | {
      readonly ok: true
      readonly event: ValidatedEvent
      /** Whether the id's time is from our clock: the caller gave neither an id nor a time. */
      readonly isMinted: boolean
    }
  | { readonly ok: false; readonly id?: string; readonly error: EntryError }

/** `invalid`: the request is refused as a whole. `entries`: each entry was validated; `single` if the body was one object. */
export type ValidationResult =
  | {
      readonly type: 'invalid'
      readonly status: 400 | 413 | 422
      readonly code: string
      readonly detail: string
      readonly pointer?: string
    }
  | { readonly type: 'entries'; readonly single: boolean; readonly entries: readonly ValidatedEntry[] }

/**
 * A running validation: yields between two slices of its body, so that its caller can let other work run, and returns the
 * result. A small body is one slice.
 */
export type Validation = Generator<undefined, ValidationResult, undefined>

/** Who posts, when, and the request's trace. */
export interface ValidationContext {
  readonly tenant: string
  readonly nowMs: number
  readonly traceparent: string | null
  /** How old an event may be, milliseconds; `LIMITS.historyMsMax` when that is not given, and at most. */
  readonly historyMs?: number
  /** The latest that it may be now, where clocks differ: a time is too far ahead only by this one. Default `nowMs`. */
  readonly latestMs?: number
}
