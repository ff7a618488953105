import { sleep } from '@ariftly/async'
import type { Logger } from '@ariftly/runtime'
import type { Queryable } from '@ariftly/store'
import { keepSuccessAnswers, SUCCESS_ANSWERS_KEPT, type SuccessAnswer } from './keep-success-answers.ts'
import type { AttemptOutcome } from './attempt-outcome.ts'

/** Between two writes. */
const EVERY_MS = 1000
/** Between two writes of one webhook: what it answers to thousands of attempts a second costs five rows in that time. */
const WEBHOOK_EVERY_MS = 10_000
/** Bound of all answers that wait or are being written. */
const BYTES_MAX = 32 * 1024 * 1024
/** Bound of the answers of one statement. */
const STATEMENT_BYTES = 1024 * 1024

/**
 * Keeps what receivers answered to the last 5 successful attempts of each webhook, apart from the statement that records
 * outcomes. Answers wait in memory, at most 5 a webhook and 32 MiB in all (beyond that they are not kept), and are written every 10
 * seconds at most; those of a process that is killed in between are lost, which harms no delivery.
 */
export class SuccessAnswers {
  readonly #db: Queryable
  readonly #log: Pick<Logger, 'warn'>
  /** By webhook, oldest first. */
  readonly #waiting = new Map<string, SuccessAnswer[]>()
  readonly #writtenMs = new Map<string, number>()
  #bytes = 0

  constructor(o: { readonly db: Queryable; readonly log: Pick<Logger, 'warn'> }) {
    this.#db = o.db
    this.#log = o.log
  }

  /** Takes the answer out of a success; everything else stays unchanged. */
  takeFrom(outcome: AttemptOutcome): AttemptOutcome {
    if (outcome.type !== 'delivered') return outcome
    const { deliveryId, attempt, webhookId, record } = outcome
    const { responseHeaders, responseBody } = record
    this.#add({ deliveryId, attempt, webhookId, responseHeaders, responseBody })
    return { ...outcome, record: { ...record, responseHeaders: null, responseBody: null } }
  }

  #add(answer: SuccessAnswer): void {
    const waiting = this.#waiting.get(answer.webhookId) ?? []
    const oldest = waiting.length >= SUCCESS_ANSWERS_KEPT ? waiting.shift() : undefined
    if (oldest !== undefined) this.#bytes -= bytesOf(oldest)
    if (this.#bytes + bytesOf(answer) > BYTES_MAX) return
    this.#bytes += bytesOf(answer)
    waiting.push(answer)
    this.#waiting.set(answer.webhookId, waiting)
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
    let answers: SuccessAnswer[] = []
    let bytes = 0
    for (const [webhookId, waiting] of this.#waiting) {
      if (this.#writtenMs.has(webhookId)) continue
      this.#waiting.delete(webhookId)
      this.#writtenMs.set(webhookId, performance.now())
      answers.push(...waiting)
      for (const answer of waiting) bytes += bytesOf(answer)
      if (bytes < STATEMENT_BYTES) continue
      await this.#keep(answers, bytes)
      answers = []
      bytes = 0
    }
    await this.#keep(answers, bytes)
  }

  async #keep(answers: readonly SuccessAnswer[], bytes: number): Promise<void> {
    try {
      await keepSuccessAnswers(this.#db, answers)
    } catch (error) {
      this.#log.warn({ err: error, answers: answers.length }, 'answers of receivers could not be kept')
    }
    this.#bytes -= bytes
  }
}

/** Memory of an answer: what the receiver sent, and the objects that hold it. */
function bytesOf({ responseHeaders, responseBody }: SuccessAnswer): number {
  return 500 + (responseHeaders?.length ?? 0) + (responseBody?.length ?? 0)
}
