/** Lengths of the stretches by which statistics are kept, in seconds. */
export const STATS_STEPS_S = [60, 900] as const

/** Results of first deliveries. */
export interface Figures {
  readonly delivered: number
  readonly failed: number
  readonly attempts: number
  /** Failed attempts by error class, in an order that the caller never changes. */
  readonly errors: readonly number[]
  /** Histogram of latencies by `latencyBucket`. */
  readonly latencies: readonly number[]
}

/** The figures of one webhook in one stretch of time. */
export interface WebhookFigures extends Figures {
  /** `whk_…`. */
  readonly webhookId: string
  readonly stepS: (typeof STATS_STEPS_S)[number]
  /** Start of the stretch, a multiple of its length. */
  readonly atMs: number
}

/** Neighbouring bounds of the histogram differ by this factor, so that the middle of a bucket is off by less than 10 %. */
const GROWTH = 1.2
/** Ends at more than a week. */
const BUCKETS_MAX = 120

/** The place of a latency in the histogram; under 1.2 ms it is the first. */
export function latencyBucket(ms: number): number {
  return ms < 1 ? 0 : Math.min(BUCKETS_MAX - 1, Math.floor(Math.log(ms) / Math.log(GROWTH)))
}

/** The latency in ms below which `share` (0 to 1) of those in a histogram are, within 10 %; null for an empty one. */
export function latencyPercentile(counts: readonly number[], share: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0)
  const rank = Math.max(1, Math.ceil(total * share))
  let seen = 0
  const bucket = counts.findIndex((count) => (seen += count) >= rank)
  if (total === 0 || bucket === -1) return null
  const ms = GROWTH ** (bucket + 0.5)
  return ms < 100 ? Math.round(ms * 10) / 10 : Math.round(ms)
}

/** Adds counts up by place; the shorter list ends with zeros. */
export function addCounts(a: readonly number[], b: readonly number[]): number[] {
  return Array.from({ length: Math.max(a.length, b.length) }, (_, index) => (a[index] ?? 0) + (b[index] ?? 0))
}

/** Adds figures up. */
export function sumFigures(a: Figures, b: Figures): Figures {
  return {
    delivered: a.delivered + b.delivered,
    failed: a.failed + b.failed,
    attempts: a.attempts + b.attempts,
    errors: addCounts(a.errors, b.errors),
    latencies: addCounts(a.latencies, b.latencies),
  }
}
