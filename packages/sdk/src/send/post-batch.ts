import type { IngestResults } from '../api-types.ts'
import { ApiError, ConnectionError, EventRefusedError, ProtocolError } from '../errors.ts'
import { isTemporary } from '../http/temporary.ts'
import { errorOf, requestIdOf, type Answer, type Transport } from '../http/transport.ts'
import { jsonOf } from './encode-event.ts'
import type { Outcome, PendingEvent } from './pending-event.ts'

/** What one request says about one of its events; `retry` is not written yet. */
export type EventResult = Outcome | typeof RETRY

/** What became of a request with events. */
export type BatchResult =
  | { readonly type: 'results'; readonly results: readonly EventResult[]; readonly answer?: Answer }
  /** Nothing is known of any event: all are to be posted again, after a wait. */
  | { readonly type: 'again'; readonly error: Error; readonly answer?: Answer }
  /** The request is too large for the server or for a proxy before it. */
  | { readonly type: 'tooLarge'; readonly answer: Answer }

/** The event is to be posted again. */
export const RETRY = { type: 'retry' } as const

/** Posts events as one JSON array. Throws what `Transport.attempt` does. */
export async function postBatch(
  transport: Transport,
  events: readonly PendingEvent[],
  signal: AbortSignal,
): Promise<BatchResult> {
  let body = ''
  for (const { encoded, id } of events) body += `${body === '' ? '[' : ','}${jsonOf(encoded, id)}`
  const atHome = events.filter(({ mayHaveArrived }) => !mayHaveArrived)
  const mark = (mayHaveArrived: boolean) => {
    for (const event of atHome) event.mayHaveArrived = mayHaveArrived
  }
  const call = { method: 'POST', path: '/v1/events', body: `${body}]`, signal, onSent: () => mark(true) } as const
  const answer = await transport.attempt(call).catch((error: unknown) => {
    if (error instanceof ConnectionError && !error.mayHaveArrived) mark(false)
    throw error
  })
  return readAnswer(answer, events)
}

function readAnswer(answer: Answer, events: readonly PendingEvent[]): BatchResult {
  const { status } = answer
  if (status === 202 && events.every(({ id }) => id !== undefined)) {
    return { type: 'results', results: events.map(({ id = '' }) => ({ type: 'accepted', id })), answer }
  }
  if (status < 300) return readResults(answer, events)
  const error = errorOf(answer)
  if (isTemporary(error)) return { type: 'again', error, answer }
  if (status === 413 && events.length > 1) return { type: 'tooLarge', answer }
  const byIndex = new Map(error.errors.map((entry) => [entry.index, entry]))
  if (status === 422 && events.every((_, index) => byIndex.has(index))) {
    const results = events.map((event, index) => refused(event, byIndex.get(index), error.requestId))
    return { type: 'results', results, answer }
  }
  return { type: 'results', results: events.map(() => ({ type: 'failed', error })), answer }
}

function readResults(answer: Answer, events: readonly PendingEvent[]): BatchResult {
  const entries = readEntries(answer.text)
  // The ids make the repetition harmless.
  if (entries === undefined) return { type: 'again', error: new ProtocolError('The answer is cut, or not of the API.') }
  const requestId = requestIdOf(answer)
  const byIndex = new Map(entries.map((entry) => [entry.index, entry]))
  const results = events.map((event, index): EventResult => {
    const entry = byIndex.get(index)
    if (entry?.status === 'accepted') return { type: 'accepted', id: entry.id }
    return entry?.status === 'refused' ? refused(event, entry.error, requestId) : RETRY
  })
  return { type: 'results', results, answer }
}

function readEntries(text: string): IngestResults['data'] | undefined {
  try {
    const { data } = JSON.parse(text) as IngestResults
    return Array.isArray(data) ? data : undefined
  } catch {
    return undefined
  }
}

/** What the server says of an id that this client minted is about the time of the event. */
function refused(
  { index, id, encoded }: PendingEvent,
  error: { readonly code?: string; readonly pointer?: string; readonly message?: string } = {},
  requestId: string | undefined,
): Outcome {
  const { code = 'refused', message = '' } = error
  const pointer = error.pointer === '/id' && encoded.mintedOf !== undefined ? '/created_at' : (error.pointer ?? '')
  return { type: 'refused', error: new EventRefusedError([{ index, id, code, pointer, message }], requestId) }
}

/** Whether an id that was minted of the call's time was refused for it alone: another one is worth a try, once. */
export function isClockRefusal(outcome: EventResult, { encoded, isReminted }: PendingEvent): boolean {
  if (outcome.type !== 'refused' || encoded.mintedOf !== 'call' || isReminted) return false
  return outcome.error.code === 'out_of_range' && outcome.error.pointer === '/created_at'
}

/** Whether an event was given up for a reason that is not its own, so that the next process is to send it. */
export function staysInSpool(outcome: Outcome): boolean {
  if (outcome.type !== 'failed') return outcome.type === 'returned'
  // Another error that is given up is about the key as well.
  return !(outcome.error instanceof ApiError) || [401, 403, 404, 405].includes(outcome.error.status)
}
