import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { addCounts, latencyBucket, latencyPercentile } from './webhook-figures.ts'

const WEEK_MS = 7 * 86_400_000

test('a percentile of a histogram is within 10 % of the latency at its rank', () => {
  const latencies = fc.array(fc.integer({ min: 1, max: WEEK_MS }), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(latencies, fc.constantFrom(0.5, 0.95, 0.99), (values, share) => {
      const counts = values
        .map((ms) => [...Array.from({ length: latencyBucket(ms) }, () => 0), 1])
        .reduce((all, one) => addCounts(all, one), [])
      const exact = values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? 0
      const read = latencyPercentile(counts, share) ?? 0
      // A little more, as the bounds of the buckets are floating point numbers.
      expect(Math.abs(read - exact) / exact).toBeLessThanOrEqual(0.1 + 1e-9)
    }),
  )
})

test('there is no percentile without deliveries, and a clock behind that of the log counts as zero', () => {
  expect(latencyPercentile([], 0.5)).toBeNull()
  expect(latencyPercentile([0, 0], 0.5)).toBeNull()
  expect([latencyBucket(-5), latencyBucket(0), latencyBucket(1)]).toEqual([0, 0, 0])
})
