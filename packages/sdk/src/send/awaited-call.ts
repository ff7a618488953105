import { EventRefusedError, type Refusal } from '../errors.ts'
import type { Outcome, PendingEvent, SendCall, SentEvent } from './pending-event.ts'

/** One `send` whose promise settles when all its events are. */
export class AwaitedCall implements SendCall {
  readonly isAwaited = true
  /** Called once, when the promise is settled. */
  whenDone: (() => void) | undefined
  readonly #resolve: (sent: readonly SentEvent[]) => void
  readonly #reject: (error: Error) => void
  readonly #sent: SentEvent[] = []
  readonly #refusals: Refusal[] = []
  #failure: Error | undefined
  #left: number
  #isDone = false

  constructor(count: number, resolve: (sent: readonly SentEvent[]) => void, reject: (error: Error) => void) {
    this.#left = count
    this.#resolve = resolve
    this.#reject = reject
  }

  settle(event: PendingEvent, outcome: Outcome): void {
    if (this.#isDone) return
    switch (outcome.type) {
      case 'accepted':
        this.#sent[event.index] = { id: outcome.id }
        break
      case 'refused':
        for (const refusal of outcome.error.refusals) {
          this.#refusals.push({ ...refusal, index: event.index, id: event.encoded.id })
        }
        break
      case 'aborted':
        this.#finish(() => this.#reject(outcome.error))
        return
      case 'failed':
      case 'returned':
        this.#failure ??= outcome.error
        break
    }
    this.#left -= 1
    if (this.#left === 0) this.#finish(() => this.#settlePromise())
  }

  #settlePromise(): void {
    if (this.#failure !== undefined) this.#reject(this.#failure)
    else if (this.#refusals.length > 0) {
      this.#reject(new EventRefusedError(this.#refusals.toSorted((a, b) => a.index - b.index)))
    } else this.#resolve(this.#sent)
  }

  #finish(act: () => void): void {
    this.#isDone = true
    this.whenDone?.()
    act()
  }
}
