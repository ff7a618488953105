import { sleep } from '@ariftly/async'
import type { Logger } from '@ariftly/runtime'
import type { Queryable } from '@ariftly/store'
import {
  keepSuccessAnswers,
  SUCCESS_ANSWERS_KEPT,
  type AttemptOutcome,
  type SuccessAnswer,
} from '@ariftly/store/deliveries'

/** Between two writes. */
const EVERY_MS = 1000
/** Between two writes of one webhook: what it answers to thousands of attempts a second costs five rows in that time. */
const WEBHOOK_EVERY_MS = 10_000

/**
 * Keeps what receivers answered to the last 5 successful attempts of each webhook, apart from the statement that records
 * outcomes. Answers wait in memory, at most 5 a webhook, and are written every 10 seconds at most; those of a process that is
 * killed in between are lost, which harms no delivery.
 */
export class SuccessAnswers {
  readonly #db: Queryable
  readonly #log: Pick<Logger, 'warn'>
  /** By webhook, oldest first. */
  readonly #waiting = new Map<string, SuccessAnswer[]>()
  readonly #writtenMs = new Map<string, number>()

  constructor(o: { readonly db: Queryable; readonly log: Pick<Logger, 'warn'> }) {
    this.#db = o.db
    this.#log = o.log
  }

  /** Takes the answer out of a success; everything else stays as it is. */
  takeFrom(outcome: AttemptOutcome): AttemptOutcome {
    if (outcome.type !== 'delivered') return outcome
    const { deliveryId, attempt, webhookId, record } = outcome
    const { responseHeaders, responseBody } = record
    const waiting = this.#waiting.get(webhookId) ?? []
    if (waiting.length >= SUCCESS_ANSWERS_KEPT) waiting.shift()
    waiting.push({ deliveryId, attempt, webhookId, responseHeaders, responseBody })
    this.#waiting.set(webhookId, waiting)
    return { ...outcome, record: { ...record, responseHeaders: null, responseBody: null } }
  }

  /** Writes what waits, until the signal aborts, and then all of it. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(EVERY_MS, signal)
      await this.#write(performance.now() - (signal.aborted ? 0 : WEBHOOK_EVERY_MS))
    }
  }

  /** Writes the answers of the webhooks that were last written before `beforeMs`. */
  async #write(beforeMs: number): Promise<void> {
    for (const [webhookId, writtenMs] of this.#writtenMs) {
      if (writtenMs <= beforeMs) this.#writtenMs.delete(webhookId)
    }
    const answers: SuccessAnswer[] = []
    for (const [webhookId, waiting] of this.#waiting) {
      if (this.#writtenMs.has(webhookId)) continue
      answers.push(...waiting)
      this.#waiting.delete(webhookId)
      this.#writtenMs.set(webhookId, performance.now())
    }
    try {
      await keepSuccessAnswers(this.#db, answers)
    } catch (error) {
      this.#log.warn({ err: error, answers: answers.length }, 'answers of receivers could not be kept')
    }
  }
}
