import { createBatcher, type Batcher } from '@ariftly/async'
import { retryForever, type Logger } from '@ariftly/runtime'
import type { Pool } from '@ariftly/store'
import { startAttempts, withdrawStarts, type StartedAttempt } from './start-attempts.ts'
import type { AttemptRef } from '../queueing/unqueue-deliveries.ts'

/** Dependencies of starting attempts. */
export interface AttemptStartsOptions {
  readonly pool: Pool
  readonly leaseMs: number
  /** UUID in this worker's heartbeats. */
  readonly workerId: string
  /** Ends what is tried again. */
  readonly signal: AbortSignal
  readonly log: Pick<Logger, 'warn'>
}

/** Starts attempts, batched over jobs. What a batch does not return is stale. */
export class AttemptStarts {
  readonly #o: AttemptStartsOptions
  readonly #underWay = new Set<string>()
  readonly #batcher: Batcher<AttemptRef, StartedAttempt | undefined>

  constructor(o: AttemptStartsOptions) {
    this.#o = o
    this.#batcher = createBatcher({ max: 200, concurrency: 2, run: (refs) => this.#start(refs) })
  }

  /** Undefined for a stale attempt. Rejects when Postgres cannot be reached; it may be started again then. */
  async add(ref: AttemptRef): Promise<StartedAttempt | undefined> {
    return await this.#batcher.add(ref)
  }

  /** To be called when a started attempt has ended. */
  ended(ref: AttemptRef): void {
    this.#underWay.delete(keyOf(ref))
  }

  async #start(refs: readonly AttemptRef[]): Promise<readonly (StartedAttempt | undefined)[]> {
    const { pool, leaseMs, workerId } = this.#o
    try {
      const started = await startAttempts(pool, { refs, leaseMs, workerId })
      for (const attempt of started) this.#underWay.add(keyOf(attempt))
      const byDelivery = new Map(started.map((attempt) => [attempt.deliveryId, attempt]))
      return refs.map((ref) => {
        const attempt = byDelivery.get(ref.deliveryId)
        return attempt?.attempt === ref.attempt ? attempt : undefined
      })
    } catch (error) {
      await this.#withdraw(refs.filter((ref) => !this.#underWay.has(keyOf(ref))))
      throw error
    }
  }

  /** Postgres may have started them although its answer was lost: no worker would make them until their lease ends. */
  async #withdraw(refs: readonly AttemptRef[]): Promise<void> {
    const { pool, workerId, signal, log } = this.#o
    await retryForever(() => withdrawStarts(pool, { refs, workerId }), {
      signal,
      maxMs: 1000,
      onError: (error) =>
        log.warn({ err: error, attempts: refs.length }, 'starts of attempts cannot be withdrawn, retrying'),
    })
  }
}

function keyOf({ deliveryId, attempt }: AttemptRef): string {
  return `${deliveryId} ${attempt}`
}
