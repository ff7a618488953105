import { describe, expect, test } from '@jest/globals'
import { createReport, medians, percentile } from './report.ts'

const round = (value: number) => [{ name: 'a', value, unit: 'ms' }]

describe('a report', () => {
  test('puts what compares with a peer into ratios and all else into results', () => {
    const measurements = [
      { name: 'acknowledged_per_s', value: 5, unit: 'events/s' },
      { name: 'acknowledged_vs_plain_kafka', value: 0.5, unit: '' },
    ]
    expect(createReport('x', measurements)).toEqual({
      bench: 'x',
      results: [{ name: 'acknowledged_per_s', value: 5, unit: 'events/s' }],
      ratios: { acknowledged_vs_plain_kafka: 0.5 },
    })
  })

  test('takes the median of each measurement over the rounds', () => {
    expect(medians([round(9), round(1), round(3)])).toEqual(round(3))
  })

  test('takes percentiles by nearest rank', () => {
    const values = Array.from({ length: 100 }, (_, index) => index + 1)
    expect(percentile(values, 0.99)).toBe(99)
    expect(percentile([7], 0.99)).toBe(7)
    expect(percentile([], 0.5)).toBe(0)
  })
})
