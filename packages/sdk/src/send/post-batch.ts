import type { IngestResults } from '../api-types.ts'
import { ConnectionError, EventRefusedError, TimeoutError } from '../errors.ts'
import { isRetryableStatus } from '../http/back-off.ts'
import { errorOf, type Answer, type Transport } from '../http/transport.ts'
import type { Outcome, PendingEvent } from './pending-event.ts'

/** What one request says about one of its events; `retry` is not written yet. */
export type EventResult = Outcome | { readonly type: 'retry' }

/** What became of a request with events. */
export type BatchResult =
  | { readonly type: 'results'; readonly results: readonly EventResult[]; readonly retryAfterMs: number }
  /** Nothing is known of any event: all are to be posted again, after a while. */
  | { readonly type: 'again'; readonly error: Error; readonly retryAfterMs: number }
  /** The request as a whole was refused, maybe because of one event: try smaller ones. */
  | { readonly type: 'split'; readonly error: Error; readonly isTooLarge: boolean }

/** Posts events as one JSON array. Throws only the signal's reason. */
export async function postBatch(
  transport: Transport,
  events: readonly PendingEvent[],
  options: { readonly signal: AbortSignal; readonly keepalive: boolean },
): Promise<BatchResult> {
  const body = bodyOf(events)
  try {
    const answer = await transport.attempt({ method: 'POST', path: '/v1/events', body, ...options })
    return readAnswer(answer, events)
  } catch (error) {
    if (error instanceof ConnectionError || error instanceof TimeoutError) {
      return { type: 'again', error, retryAfterMs: 0 }
    }
    throw error
  }
}

function bodyOf(events: readonly PendingEvent[]): string {
  let body = ''
  for (const { encoded } of events) body += body === '' ? `[${encoded.json}` : `,${encoded.json}`
  return `${body}]`
}

function readAnswer(answer: Answer, events: readonly PendingEvent[]): BatchResult {
  const { status } = answer
  if (status === 202 && events.every(({ encoded }) => encoded.id !== undefined)) {
    const results = events.map(({ encoded }): EventResult => ({ type: 'accepted', id: encoded.id ?? '' }))
    return { type: 'results', results, retryAfterMs: 0 }
  }
  if (status < 300) return readResults(answer, events)
  const error = errorOf(answer)
  const { retryAfterMs = 0 } = error
  if (isRetryableStatus(status)) return { type: 'again', error, retryAfterMs }
  const byIndex = new Map(error.errors.map((entry) => [entry.index, entry]))
  if (status === 422 && events.every((_, index) => byIndex.has(index))) {
    const results = events.map((_, index): EventResult => refused(index, byIndex.get(index)))
    return { type: 'results', results, retryAfterMs: 0 }
  }
  if ((status === 400 || status === 413 || status === 422) && events.length > 1) {
    return { type: 'split', error, isTooLarge: status === 413 }
  }
  const results = events.map((): EventResult => ({ type: 'failed', error }))
  return { type: 'results', results, retryAfterMs: 0 }
}

function readResults(answer: Answer, events: readonly PendingEvent[]): BatchResult {
  let entries: IngestResults['data']
  try {
    entries = (JSON.parse(answer.text) as IngestResults).data
  } catch (error) {
    // A cut answer. The ids make the repetition harmless.
    return { type: 'again', error: new ConnectionError(error), retryAfterMs: 0 }
  }
  const byIndex = new Map(entries.map((entry) => [entry.index, entry]))
  const results = events.map((_, index): EventResult => {
    const entry = byIndex.get(index)
    if (entry?.status === 'accepted') return { type: 'accepted', id: entry.id }
    return entry?.status === 'refused' ? refused(index, entry.error) : { type: 'retry' }
  })
  return { type: 'results', results, retryAfterMs: errorOf(answer).retryAfterMs ?? 0 }
}

function refused(
  index: number,
  error: { readonly code: string; readonly pointer?: string; readonly message: string } | undefined,
): EventResult {
  const { code = 'refused', pointer = '', message = '' } = error ?? {}
  return { type: 'refused', error: new EventRefusedError([{ index, id: undefined, code, pointer, message }]) }
}
