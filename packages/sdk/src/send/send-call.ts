import { EventRefusedError } from '../errors.ts'
import type { Outcome, PendingEvent, SendCall, SentEvent } from './pending-event.ts'

/** A `send` whose promise settles when all its events have. */
export interface AwaitedCall extends SendCall {
  readonly promise: Promise<readonly SentEvent[]>
  /** Rejects now. */
  reject(error: Error): void
}

/** Makes the call of so many events. */
export function createAwaitedCall(count: number): AwaitedCall {
  const outcomes: Outcome[] = []
  let left = count
  let resolve: (sent: readonly SentEvent[]) => void = ignore
  let reject: (error: Error) => void = ignore
  const promise = new Promise<readonly SentEvent[]>((...functions) => {
    ;[resolve, reject] = functions
  })
  if (count === 0) resolve([])

  function settle({ index }: PendingEvent, outcome: Outcome): void {
    outcomes[index] = outcome
    left -= 1
    if (left > 0) return
    const errors = outcomes.flatMap((each) => (each.type === 'accepted' ? [] : [each.error]))
    const refusals = errors.flatMap((error) => (error instanceof EventRefusedError ? error.refusals : []))
    const failure = errors.find((error) => !(error instanceof EventRefusedError))
    if (failure !== undefined) reject(failure)
    else if (refusals.length > 0) reject(new EventRefusedError(refusals, (errors[0] as EventRefusedError).requestId))
    else resolve(outcomes.map((each) => ({ id: each.type === 'accepted' ? each.id : '' })))
  }

  return { promise, reject, settle, isAwaited: true }
}

function ignore(): void {}
