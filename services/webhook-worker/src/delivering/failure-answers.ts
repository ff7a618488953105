import type { AttemptOutcome } from '@ariftly/store/deliveries'

/** What a tenant may have kept at once after a quiet time: 256 answers of full length. */
const BURST_BYTES = 4 * 1024 * 1024
/** And in the long run: 84 MiB a day. */
const BYTES_PER_S = 1024
/** Tenants that are known; those whose budget is whole again are forgotten beyond it. */
const TENANTS_MAX = 1000

interface Budget {
  bytes: number
  atMs: number
}

/**
 * Bounds what this worker keeps of the answers to a tenant's failed attempts, as they stand in the database for 35 days: 4 MiB
 * at once, 1 KiB a second in the long run. Attempts beyond that are kept without the headers and the body of the answer.
 */
export class FailureAnswers {
  readonly #budgets = new Map<string, Budget>()
  readonly #now: () => number

  /** `now`: milliseconds of a monotonic clock. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** Takes the answer out of a failure that is beyond its tenant's budget; everything else stays as it is. */
  bound(outcome: AttemptOutcome): AttemptOutcome {
    if (outcome.type !== 'failed') return outcome
    const { record } = outcome
    const bytes = (record.responseBody?.length ?? 0) + (record.responseHeaders?.length ?? 0)
    if (bytes === 0 || this.#spend(outcome.tenant, bytes)) return outcome
    return { ...outcome, record: { ...record, responseHeaders: null, responseBody: null } }
  }

  #spend(tenant: string, bytes: number): boolean {
    const nowMs = this.#now()
    const budget = this.#budgets.get(tenant) ?? this.#open(tenant, nowMs)
    budget.bytes = refilled(budget, nowMs)
    budget.atMs = nowMs
    if (budget.bytes < bytes) return false
    budget.bytes -= bytes
    return true
  }

  #open(tenant: string, nowMs: number): Budget {
    if (this.#budgets.size >= TENANTS_MAX) {
      for (const [known, budget] of this.#budgets) {
        if (refilled(budget, nowMs) >= BURST_BYTES) this.#budgets.delete(known)
      }
    }
    const budget = { bytes: BURST_BYTES, atMs: nowMs }
    this.#budgets.set(tenant, budget)
    return budget
  }
}

function refilled({ bytes, atMs }: Budget, nowMs: number): number {
  return Math.min(BURST_BYTES, bytes + ((nowMs - atMs) / 1000) * BYTES_PER_S)
}
