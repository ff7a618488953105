import { disableWebhook } from '@ariftly/store/deliveries'
import type { TenantShares } from '../queueing/tenant-shares.ts'
import type { AttemptOutcome } from './attempt-outcome.ts'
import { FailureAnswers } from './failure-answers.ts'
import { createOutcomeWriter } from './outcome-writer.ts'
import type { TriedEndpoint } from './record-outcomes.ts'
import { StatsRollup } from './stats-rollup.ts'
import { SuccessAnswers } from './success-answers.ts'
import type { WorkerParts } from '../worker-parts.ts'

/** Dependencies of settling. */
export interface SettlingOptions extends WorkerParts {
  readonly shares: TenantShares
}

/** Takes the outcomes of attempts. */
export interface Settling {
  /** Resolves when the outcome is written. */
  readonly add: (outcome: AttemptOutcome) => Promise<void>
  /** Disables a webhook whose endpoint has answered that it wants no more. */
  readonly gone: (endpoint: TriedEndpoint) => void
}

const FAILING_AFTER = 10
const PROBE_DOUBLINGS = 30
/** An endpoint that only fails for this long is disabled: five days. */
const DISABLE_AFTER_MS = 432_000_000

/** Starts to write outcomes, with their answers and statistics, until its releaser runs. */
export function startSettling(o: SettlingOptions): Settling {
  const { config, pools, shares, wakeups, releasers, log } = o
  const end = new AbortController()
  const failureAnswers = new FailureAnswers()
  const answers = new SuccessAnswers({ db: pools.other, log })
  const keeping = answers.run(end.signal)
  const stats = new StatsRollup({ db: pools.other, workerId: o.workerId, log })
  const summing = stats.run(end.signal)
  releasers.add('outcomes', async () => {
    end.abort()
    await Promise.all([keeping, summing])
  })
  const writer = createOutcomeWriter({
    pool: pools.outcomes,
    failing: {
      after: FAILING_AFTER,
      probeMs: config.WEBHOOK_PROBE_MS,
      probeMsMax: PROBE_DOUBLINGS * config.WEBHOOK_PROBE_MS,
      disableMs: DISABLE_AFTER_MS,
    },
    onRecorded(counts, { toDisable }) {
      for (const [webhookId, count] of counts) shares.ended(webhookId, count)
      wakeups.wakeFreed(counts.keys())
      for (const endpoint of toDisable) void disable(o, endpoint, 'failures')
    },
    stats,
    signal: end.signal,
    log,
  })
  return {
    add: (outcome) => writer.add(answers.takeFrom(failureAnswers.bound(outcome))),
    gone: (endpoint) => void disable(o, endpoint, 'gone'),
  }
}

async function disable(
  { pools, metrics, log }: SettlingOptions,
  { webhookId, endpointVersion }: TriedEndpoint,
  reason: 'gone' | 'failures',
): Promise<void> {
  try {
    if (!(await disableWebhook(pools.outcomes, { webhookId, endpointVersion, reason }))) return
    log.warn({ webhook: webhookId, reason }, 'a webhook was disabled')
    metrics.disabled(reason)
  } catch (error) {
    log.warn({ err: error, webhook: webhookId, reason }, 'a webhook could not be disabled')
  }
}
