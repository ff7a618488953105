import { ERROR_CLASSES } from '@ariftly/egress'
import { parseTypeId } from '@ariftly/events'
import { sleep, type Logger } from '@ariftly/runtime'
import { type Queryable } from '@ariftly/store'
import type { AttemptOutcome, RecordedOutcomes } from '@ariftly/store/deliveries'
import {
  addWebhookStats,
  latencyBucket,
  STATS_STEPS_S,
  sumFigures,
  type Figures,
  type WebhookFigures,
} from '@ariftly/store/stats'

/** Figures become visible after so long. */
const FLUSH_MS = 2000
/** Rows of one statement. */
const ROWS_MAX = 1000

/**
 * Sums what first deliveries come to, by webhook and stretch of time, and adds it to Postgres every two seconds. Replays and
 * redeliveries do not count. What a killed process had not added yet is missing in the statistics, and nowhere else.
 */
export class StatsRollup {
  #sums = new Map<string, WebhookFigures>()
  readonly #db: Queryable
  readonly #log: Pick<Logger, 'warn'>
  readonly #now: () => number

  constructor(o: { readonly db: Queryable; readonly log: Pick<Logger, 'warn'>; readonly now?: () => number }) {
    this.#db = o.db
    this.#log = o.log
    this.#now = o.now ?? Date.now
  }

  /** Counts outcomes that were recorded. */
  count(outcomes: readonly AttemptOutcome[], recorded: Pick<RecordedOutcomes, 'failed' | 'stale'>): void {
    const nowMs = this.#now()
    for (const outcome of outcomes) {
      if (outcome.type !== 'delivered' && outcome.type !== 'failed') continue
      if (!outcome.first) continue
      const figures = figuresOf(outcome, recorded)
      for (const stepS of STATS_STEPS_S) {
        const atMs = nowMs - (nowMs % (stepS * 1000))
        this.#add({ ...figures, webhookId: outcome.webhookId, stepS, atMs })
      }
    }
  }

  /** Adds what was counted to Postgres; what cannot be added now is kept for the next time. */
  async flush(): Promise<void> {
    const figures = [...this.#sums.values()]
    this.#sums = new Map()
    for (let start = 0; start < figures.length; start += ROWS_MAX) {
      try {
        await addWebhookStats(this.#db, figures.slice(start, start + ROWS_MAX))
      } catch (error) {
        this.#log.warn({ err: error }, 'statistics cannot be written yet')
        for (const kept of figures.slice(start)) this.#add(kept)
        return
      }
    }
  }

  /** Flushes until the signal aborts, and once more then. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(FLUSH_MS, signal)
      await this.flush()
    }
  }

  #add(figures: WebhookFigures): void {
    const key = `${figures.webhookId} ${figures.stepS} ${figures.atMs}`
    const before = this.#sums.get(key)
    this.#sums.set(key, before === undefined ? figures : { ...figures, ...sumFigures(before, figures) })
  }
}

function figuresOf(
  outcome: Extract<AttemptOutcome, { type: 'delivered' | 'failed' }>,
  recorded: Pick<RecordedOutcomes, 'failed' | 'stale'>,
): Figures {
  const { deliveryId, record } = outcome
  const delivered = outcome.type === 'delivered' && !recorded.stale.has(deliveryId)
  const place = ERROR_CLASSES.findIndex((name) => name === record.errorClass)
  return {
    attempts: 1,
    delivered: delivered ? 1 : 0,
    failed: recorded.failed.has(deliveryId) ? 1 : 0,
    errors: place === -1 ? [] : oneAt(place),
    latencies: delivered ? oneAt(latencyBucket(record.startedAtMs + record.totalMs - appendedAt(deliveryId))) : [],
  }
}

function oneAt(place: number): number[] {
  return [...Array.from({ length: place }, () => 0), 1]
}

/** The millisecond at which the event was appended to the log, which is the one in its delivery's id. */
function appendedAt(deliveryId: string): number {
  return parseTypeId('dlv', deliveryId)?.readUIntBE(0, 6) ?? 0
}
