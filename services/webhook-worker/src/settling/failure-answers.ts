import { TokenBuckets } from '@ariftly/fairness'
import type { AttemptOutcome } from './attempt-outcome.ts'

/** Bytes that are kept of a tenant: 256 answers of full length at once after a quiet time, 84 MiB a day in the long run. */
const RATE = { perS: 1024, burst: 4 * 1024 * 1024 } as const

/**
 * Bounds what this worker keeps of the answers to a tenant's failed attempts, which stay in the database for 35 days: 4 MiB
 * at once, 1 KiB a second in the long run. Attempts beyond that are kept without the headers and the body of the answer.
 */
export class FailureAnswers {
  readonly #buckets: TokenBuckets

  /** `now`: milliseconds of a monotonic clock. */
  constructor(now?: () => number) {
    this.#buckets = new TokenBuckets(now === undefined ? {} : { now })
  }

  /** Takes the answer out of a failure that is beyond its tenant's bytes; everything else stays unchanged. */
  bound(outcome: AttemptOutcome): AttemptOutcome {
    if (outcome.type !== 'failed') return outcome
    const { record } = outcome
    const bytes = (record.responseBody?.length ?? 0) + (record.responseHeaders?.length ?? 0)
    if (bytes === 0) return outcome
    const bucket = this.#buckets.of(outcome.tenant, RATE)
    if (bucket.waitS(bytes) > 0) return { ...outcome, record: { ...record, responseHeaders: null, responseBody: null } }
    bucket.take(bytes)
    return outcome
  }
}
