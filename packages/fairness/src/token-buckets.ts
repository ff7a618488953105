/** How fast a bucket fills, and what it holds at most; both above 0. */
export interface BucketRate {
  readonly perS: number
  readonly burst: number
}

/** Options of {@link TokenBuckets}. */
export interface TokenBucketsOptions {
  /** Processes that share each bucket, at this moment; at least 1. Each has an equal part of it. Default: 1. */
  readonly shares?: () => number
  /** Monotonic clock, ms; default `performance.now`. */
  readonly now?: () => number
}

/** Number of buckets at which full ones are dropped; the next time at twice the number that was left. */
const SWEEP_MIN = 1000
/** Parts of a bucket are fractions, whose sums are not exact. */
const ROUNDING = 1e-6

/** Token buckets by id, in this process. A full bucket equals an unused one: full ones are dropped when there are many. */
export class TokenBuckets {
  readonly #buckets = new Map<string, TokenBucket>()
  readonly #shares: () => number
  readonly #now: () => number
  #sweepAt = SWEEP_MIN

  constructor({ shares = () => 1, now = () => performance.now() }: TokenBucketsOptions = {}) {
    this.#shares = shares
    this.#now = now
  }

  get size(): number {
    return this.#buckets.size
  }

  /** The bucket of `id`, filled up to now; a new one is full. When its rate has changed it keeps what it has, or owes. */
  of(id: string, rate: BucketRate): TokenBucket {
    const nowMs = this.#now()
    let bucket = this.#buckets.get(id)
    if (bucket === undefined) {
      if (this.#buckets.size >= this.#sweepAt) this.#dropFull(nowMs)
      this.#buckets.set(id, (bucket = new TokenBucket(rate, nowMs)))
    }
    bucket.fill(rate, this.#shares(), nowMs)
    return bucket
  }

  #dropFull(nowMs: number): void {
    for (const [id, bucket] of this.#buckets) if (bucket.isFullAt(nowMs)) this.#buckets.delete(id)
    this.#sweepAt = Math.max(SWEEP_MIN, 2 * this.#buckets.size)
  }
}

/** The share of one bucket that this process has. */
export class TokenBucket {
  #rate: BucketRate
  #shares = 1
  #left = Infinity
  #filledMs: number

  /** For {@link TokenBuckets}. */
  constructor(rate: BucketRate, nowMs: number) {
    this.#rate = rate
    this.#filledMs = nowMs
  }

  /** Tokens that are here; below 0 some are owed. */
  get left(): number {
    return this.#left
  }

  /** The most that it holds. */
  get burst(): number {
    return this.#rate.burst / this.#shares
  }

  get #perS(): number {
    return this.#rate.perS / this.#shares
  }

  /** Seconds until it is full. */
  get fullInS(): number {
    return (this.burst - this.#left) / this.#perS
  }

  /**
   * Seconds until it has `amount`, or is full if that is less; 0 if it has. `reserved` of it was taken before for the same work, and counts
   * as if it were still here.
   */
  waitS(amount: number, reserved = 0): number {
    const missing = Math.min(amount, this.burst) - (this.#left + reserved)
    return missing <= ROUNDING ? 0 : missing / this.#perS
  }

  /** Takes an amount, even if the bucket has less: the rest is owed. A negative amount is given back. */
  take(amount: number): void {
    this.#left = Math.min(this.burst, this.#left - amount)
  }

  /** For {@link TokenBuckets}: adds the tokens since the last fill, at the rate that held until now. */
  fill(rate: BucketRate, shares: number, nowMs: number): void {
    this.#shares = shares
    this.#left = this.#leftAt(nowMs)
    this.#rate = rate
    this.#left = Math.min(this.burst, this.#left)
    this.#filledMs = Math.max(this.#filledMs, nowMs)
  }

  /** For {@link TokenBuckets}. */
  isFullAt(nowMs: number): boolean {
    return this.#leftAt(nowMs) >= this.burst
  }

  #leftAt(nowMs: number): number {
    return this.#left + (Math.max(0, nowMs - this.#filledMs) / 1000) * this.#perS
  }
}
