import { EventIdMinter, type EntryError, type ValidatedEntry, type ValidationResult } from '@ariftly/events'
import { Problem, type ProblemError } from '@ariftly/http'
import type { OutOfWindow, RecordStatus } from '../log/part.ts'

/** What is said about one entry of a request. */
export type EntryResult =
  | { readonly status: 'accepted' | 'retry'; readonly id: string }
  | { readonly status: 'refused'; readonly error: EntryError }

/** The Problem of a request of which nothing can be taken. */
export function problemOfInvalid(result: Extract<ValidationResult, { type: 'invalid' }>): Problem {
  const { status, code, detail, pointer } = result
  const errors = pointer === undefined ? undefined : [{ pointer, code, message: detail }]
  return new Problem(status, code, errors === undefined ? { detail } : { detail, errors })
}

/**
 * The result of each entry, in input order; `statuses` are the accepted entries', in order. An event out of the window is
 * `retry`: with a new id of the append time if the id was minted by our clock, otherwise with its own.
 */
export function resultsOf(entries: readonly ValidatedEntry[], statuses: readonly RecordStatus[]): EntryResult[] {
  let next = 0
  let minter: EventIdMinter | undefined
  return entries.map((entry): EntryResult => {
    if (!entry.ok) return { status: 'refused', error: entry.error }
    const status = statuses[next++] ?? 'retry'
    if (isOutOfWindow(status)) {
      minter ??= new EventIdMinter()
      return { status: 'retry', id: entry.isMinted ? minter.mint(status.appendedAtMs) : entry.event.id }
    }
    if (status !== 'refused') return { status, id: entry.event.id }
    const message = 'the log does not take a record of this size'
    return { status, error: { code: 'too_long', pointer: '/data', message } }
  })
}

/** Whether a clock is wrong, so that readers would not take the event. */
export function isOutOfWindow(status: RecordStatus): status is OutOfWindow {
  return typeof status === 'object'
}

const REASONS = {
  clock_skew: 'The clocks of the service do not agree.',
  log_identity_changed: 'The log is not the one that the service writes to.',
  log_unavailable: 'The log does not take events now.',
} as const

/** Why no event of a request was written. */
export type UnwrittenCode = keyof typeof REASONS

/** An answer that is no problem. */
export interface Answer {
  readonly status: 202 | 207
  /** Without Content-Length. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * Answers with 202 if all entries were accepted, 207 if they differ (with `Retry-After` if some are `retry`). Throws a Problem 422 if all
 * were refused, 503 with the code `unwritten` and the results in `events` if all are `retry`.
 */
export function renderResults(
  results: readonly EntryResult[],
  { single, unwritten }: { readonly single: boolean; readonly unwritten: UnwrittenCode },
): Answer {
  let refused = 0
  let retry = 0
  for (const { status } of results) {
    if (status === 'refused') refused += 1
    else if (status === 'retry') retry += 1
  }
  if (refused === results.length) throw allRefused(results, single)
  if (retry === results.length) throw notWritten(results, unwritten)
  let entries = ''
  for (let index = 0; index < results.length; index += 1) {
    entries += (index === 0 ? '' : ',') + renderResult(results[index] as EntryResult, index)
  }
  return {
    status: refused + retry > 0 ? 207 : 202,
    headers: retry > 0 ? { ...JSON_TYPE, 'Retry-After': RETRY_AFTER_S } : JSON_TYPE,
    body: `{"object":"list","data":[${entries}]}`,
  }
}

const JSON_TYPE = { 'Content-Type': 'application/json; charset=utf-8' } as const
const RETRY_AFTER_S = '1'

function renderResult(result: EntryResult, index: number): string {
  if (result.status === 'refused')
    return `{"index":${index},"status":"refused","error":${JSON.stringify(result.error)}}`
  return `{"index":${index},"id":"${result.id}","status":"${result.status}"}`
}

function allRefused(results: readonly EntryResult[], single: boolean): Problem {
  const errors = results.flatMap((result, index): ProblemError[] => {
    if (result.status !== 'refused') return []
    return [single ? problemErrorOf(result.error) : { ...result.error, index }]
  })
  const detail = single ? 'The event is not valid.' : 'None of the events is valid.'
  return new Problem(422, 'invalid_events', { detail, errors })
}

/** A header is named instead of a pointer. */
function problemErrorOf({ pointer, parameter, code, message }: EntryError): ProblemError {
  return parameter === undefined ? { pointer, code, message } : { parameter, code, message }
}

function notWritten(results: readonly EntryResult[], code: UnwrittenCode): Problem {
  const events = results.map((result, index) =>
    result.status === 'refused' ? { index, status: result.status } : { index, id: result.id, status: result.status },
  )
  return new Problem(503, code, {
    detail: `${REASONS[code]} Post the events with the status retry again, with these ids.`,
    headers: { 'Retry-After': RETRY_AFTER_S },
    extra: { events },
  })
}
