import { EventRefusedError, type Refusal } from '../errors.ts'
import type { Outcome, PendingEvent, SendCall, SentEvent } from './pending-event.ts'

/** A `send` whose promise settles when all its events have. */
export class AwaitedCall implements SendCall {
  readonly isAwaited = true
  readonly promise: Promise<readonly SentEvent[]>
  readonly #sent: SentEvent[] = []
  readonly #refusals: Refusal[] = []
  #requestId: string | undefined
  #failure: Error | undefined
  #left: number
  #resolve: (sent: readonly SentEvent[]) => void = () => {}
  #reject: (error: Error) => void = () => {}

  constructor(count: number) {
    this.#left = count
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    if (count === 0) this.#resolve([])
  }

  /** Rejects now: the call waits no longer. */
  withdraw(error: Error): void {
    this.#reject(error)
  }

  settle({ index, id }: PendingEvent, outcome: Outcome): void {
    if (outcome.type === 'accepted') this.#sent[index] = { id: outcome.id }
    else if (outcome.type === 'refused') {
      this.#requestId = outcome.error.requestId
      for (const refusal of outcome.error.refusals) this.#refusals.push({ ...refusal, index, id })
    } else this.#failure ??= outcome.error
    this.#left -= 1
    if (this.#left > 0) return
    const refusals = this.#refusals.toSorted((a, b) => a.index - b.index)
    if (this.#failure !== undefined) this.#reject(this.#failure)
    else if (refusals.length > 0) this.#reject(new EventRefusedError(refusals, this.#requestId))
    else this.#resolve(this.#sent)
  }
}
