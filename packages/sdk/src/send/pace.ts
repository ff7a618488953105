import { quotaOf } from '../http/quota.ts'
import { mayBeOfAddress } from '../http/temporary.ts'
import { retryAfterOf, type Transport } from '../http/transport.ts'
import type { Log } from '../log.ts'
import type { PendingEvent } from './pending-event.ts'
import type { BatchResult } from './post-batch.ts'
import type { BatchLimit } from './task-queues.ts'

/** Failures in a row after which the caller is warned. */
const FAILURES_TO_WARN = 3
/** A lowered limit grows by this factor with each success, as its cause may have ended. */
const GROWTH = 1.25

/** When requests may leave, and how large they may be: learned from the answers. */
export class Pace {
  readonly #transport: Transport
  readonly #log: Log
  readonly #max: BatchLimit
  /** Lowered when a request is too large for the server, or for a proxy before it. */
  #limit: BatchLimit
  #quota: BatchLimit | undefined
  /** Rounds of failed requests since the last success. */
  #failures = 0
  #hasSucceeded = false
  /** No request leaves before, monotonic milliseconds. */
  gateMs = 0

  constructor(transport: Transport, log: Log, max: BatchLimit) {
    this.#transport = transport
    this.#log = log
    this.#max = max
    this.#limit = max
  }

  /** What one request may hold. */
  get limit(): BatchLimit {
    const { events = Infinity, bytes = Infinity } = this.#quota ?? {}
    return { events: Math.min(events, this.#limit.events), bytes: Math.min(bytes, this.#limit.bytes) }
  }

  learn(result: BatchResult, batch: readonly PendingEvent[]): void {
    const { answer } = result
    if (answer?.status === 429 || (answer !== undefined && this.#quota !== undefined)) this.#quota = quotaOf(answer)
    if (result.type === 'again') this.#delay(result, batch.length)
    else if (result.type === 'tooLarge') {
      const bytes = batch.reduce((sum, { encoded }) => sum + encoded.bytes, 0)
      this.#limit = { events: Math.ceil(batch.length / 2), bytes: Math.ceil(bytes / 2) }
    } else if (answer !== undefined) {
      this.#failures = 0
      this.#hasSucceeded = true
      this.#limit = {
        events: Math.min(this.#max.events, Math.ceil(this.#limit.events * GROWTH)),
        bytes: Math.min(this.#max.bytes, this.#limit.bytes * GROWTH),
      }
    }
  }

  /** Closes the gate for all requests. Requests that fail while it is closed belong to the same round. */
  #delay({ error, answer }: BatchResult & { readonly type: 'again' }, events: number): void {
    const nowMs = performance.now()
    if (nowMs >= this.gateMs) this.#failures += 1
    const waitMs = this.#transport.backOffMs(this.#failures, retryAfterOf(answer))
    this.gateMs = Math.max(this.gateMs, nowMs + waitMs)
    const isWrong = mayBeOfAddress(error) && !this.#hasSucceeded
    const isWarning = this.#failures === FAILURES_TO_WARN || (this.#failures === 1 && isWrong)
    this.#log[isWarning ? 'warn' : 'debug'](`${events} events are posted again in ${waitMs} ms. ${error.message}`)
  }
}
