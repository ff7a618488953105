import { createBatcher, type Batcher } from '@ariftly/async'
import { retryForever, type Logger } from '@ariftly/runtime'
import { sqlState, type Pool } from '@ariftly/store'
import { recordOutcomes, type FailingRule, type RecordedOutcomes } from './record-outcomes.ts'
import { recordOutcomesAgain } from './record-outcomes-again.ts'
import type { AttemptOutcome } from './attempt-outcome.ts'
import type { StatsRollup } from './stats-rollup.ts'

/** Dependencies of writing outcomes. */
export interface OutcomeWriterOptions {
  readonly pool: Pool
  readonly failing: FailingRule
  /** Called after each write, with the number of outcomes of each webhook. */
  readonly onRecorded: (counts: ReadonlyMap<string, number>, recorded: RecordedOutcomes) => void
  /** Sums what was recorded. */
  readonly stats: Pick<StatsRollup, 'count'>
  /** Ends the retries when Postgres is unavailable while this process ends. */
  readonly signal: AbortSignal
  readonly log: Pick<Logger, 'warn' | 'error'>
}

/**
 * Writes outcomes in batches over jobs, and again until Postgres takes them: what was sent must not be sent twice because
 * Postgres was unavailable for a moment. The answer to a commit may have been lost, so a repeated write first reads what is recorded. What
 * Postgres refuses for its content is written alone, and given up (logged) if it is refused then: the lease brings that
 * delivery back.
 */
export function createOutcomeWriter(o: OutcomeWriterOptions): Batcher<AttemptOutcome, void> {
  async function writeBatch(outcomes: readonly AttemptOutcome[]): Promise<readonly void[]> {
    const end = await retryForever((n) => write(outcomes, n > 0), {
      signal: o.signal,
      maxMs: 1000,
      onError: (error) => o.log.warn({ err: error, outcomes: outcomes.length }, 'outcomes cannot be written, retrying'),
    })
    if (end === 'refused' && outcomes.length > 1) for (const outcome of outcomes) await writeBatch([outcome])
    return outcomes.map(() => undefined)
  }

  async function write(outcomes: readonly AttemptOutcome[], isAgain: boolean): Promise<'written' | 'refused'> {
    try {
      const record = isAgain ? recordOutcomesAgain : recordOutcomes
      const recorded = await record(o.pool, { outcomes, failing: o.failing })
      o.stats.count(outcomes, recorded)
      const counts = new Map<string, number>()
      for (const { webhookId } of outcomes) counts.set(webhookId, (counts.get(webhookId) ?? 0) + 1)
      o.onRecorded(counts, recorded)
      return 'written'
    } catch (error) {
      if (!isRefusedContent(error)) throw error
      if (outcomes.length === 1)
        o.log.error({ err: error, delivery: outcomes[0]?.deliveryId }, 'an outcome was refused')
      return 'refused'
    }
  }

  return createBatcher({ max: 200, concurrency: 2, run: writeBatch })
}

/** Data exceptions and violated constraints (SQLSTATE classes 22 and 23) do not get better by trying again. */
function isRefusedContent(error: unknown): boolean {
  const state = sqlState(error)
  return state !== undefined && (state.startsWith('22') || state.startsWith('23'))
}
