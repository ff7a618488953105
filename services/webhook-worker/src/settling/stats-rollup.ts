import { ERROR_CLASSES } from '@ariftly/egress'
import { typeIdMs } from '@ariftly/events'
import { FailureLog } from '@ariftly/async'
import { sleep, type Logger } from '@ariftly/runtime'
import type { Queryable } from '@ariftly/store'
import type { AttemptOutcome } from './attempt-outcome.ts'
import type { RecordedOutcomes } from './record-outcomes.ts'
import { addWebhookStats, type StatsBatch } from './add-webhook-stats.ts'
import { latencyBucket, STATS_STEPS_S, type WebhookFigures } from '@ariftly/store/stats'

/** Pause between writes: figures are visible after it. */
const FLUSH_MS = 2000
/** Rows of one statement. */
const ROWS_MAX = 1000

/** The figures of a webhook and a stretch of time, counted up in place: each outcome changes two of them. */
interface Sum extends WebhookFigures {
  delivered: number
  failed: number
  attempts: number
  readonly errors: number[]
  readonly latencies: number[]
}

/**
 * Sums the results of first deliveries, by webhook and stretch of time, and adds it to Postgres every two seconds, once also when
 * the answer to a commit was lost. Replays and redeliveries do not count. What a killed process had not added yet is missing in the statistics, and
 * nowhere else.
 */
export class StatsRollup {
  #sums = new Map<string, Sum>()
  /** What is to be added, in order. A batch that was sent stays unchanged until Postgres has answered. */
  readonly #batches: StatsBatch[] = []
  #lastNumber = 0
  readonly #db: Queryable
  readonly #workerId: string
  readonly #failures: FailureLog
  readonly #now: () => number

  constructor(o: {
    readonly db: Queryable
    /** UUID of this process. */
    readonly workerId: string
    readonly log: Pick<Logger, 'warn'>
    readonly now?: () => number
  }) {
    this.#db = o.db
    this.#workerId = o.workerId
    this.#failures = new FailureLog({ log: o.log, failing: 'statistics cannot be written yet' })
    this.#now = o.now ?? Date.now
  }

  /** Counts outcomes that were recorded. */
  count(outcomes: readonly AttemptOutcome[], recorded: Pick<RecordedOutcomes, 'failed' | 'stale'>): void {
    const nowMs = this.#now()
    for (const outcome of outcomes) {
      if (outcome.type !== 'delivered' && outcome.type !== 'failed') continue
      if (!outcome.first) continue
      for (const stepS of STATS_STEPS_S) {
        countInto(this.#sumOf(outcome.webhookId, stepS, nowMs - (nowMs % (stepS * 1000))), outcome, recorded)
      }
    }
  }

  /** Adds what was counted to Postgres; what cannot be added now is kept for the next time. */
  async flush(): Promise<void> {
    try {
      await this.#addBatches()
      this.#closeSums()
      await this.#addBatches()
      this.#failures.succeeded()
    } catch (error) {
      this.#failures.failed(error)
    }
  }

  /** Flushes until the signal aborts, and a last time then. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(FLUSH_MS, signal)
      await this.flush()
    }
  }

  #sumOf(webhookId: string, stepS: Sum['stepS'], atMs: number): Sum {
    const key = `${webhookId} ${stepS} ${atMs}`
    const known = this.#sums.get(key)
    if (known !== undefined) return known
    const sum = { webhookId, stepS, atMs, delivered: 0, failed: 0, attempts: 0, errors: [], latencies: [] }
    this.#sums.set(key, sum)
    return sum
  }

  async #addBatches(): Promise<void> {
    for (let batch = this.#batches[0]; batch !== undefined; batch = this.#batches[0]) {
      await addWebhookStats(this.#db, batch)
      this.#batches.shift()
    }
  }

  #closeSums(): void {
    const sums = [...this.#sums.values()]
    this.#sums = new Map()
    for (let start = 0; start < sums.length; start += ROWS_MAX) {
      const figures = sums.slice(start, start + ROWS_MAX)
      this.#batches.push({ workerId: this.#workerId, number: ++this.#lastNumber, figures })
    }
  }
}

function countInto(
  sum: Sum,
  { type, deliveryId, record }: Extract<AttemptOutcome, { type: 'delivered' | 'failed' }>,
  recorded: Pick<RecordedOutcomes, 'failed' | 'stale'>,
): void {
  sum.attempts += 1
  if (recorded.failed.has(deliveryId)) sum.failed += 1
  if (record.errorClass !== null) {
    const place = ERROR_CLASSES.findIndex((name) => name === record.errorClass)
    if (place !== -1) countAt(sum.errors, place)
  }
  if (type !== 'delivered' || recorded.stale.has(deliveryId)) return
  sum.delivered += 1
  countAt(sum.latencies, latencyBucket(record.startedAtMs + record.totalMs - appendedAt(deliveryId)))
}

function countAt(counts: number[], place: number): void {
  while (counts.length <= place) counts.push(0)
  counts[place] = (counts[place] ?? 0) + 1
}

/** The millisecond at which the event was appended to the log, which is the one in its delivery's id. */
function appendedAt(deliveryId: string): number {
  return typeIdMs('dlv', deliveryId) ?? 0
}
