import { describe, expect, test } from '@jest/globals'
import { createBatchSizer } from './batch-sizer.ts'

/** How long a store takes that needs 10 ms a transaction and `usPerRecord` a record. */
const storeMs = (records: number, usPerRecord: number): number => 10 + (records * usPerRecord) / 1_000

describe('batch sizer', () => {
  test('keeps the maximum while the store is fast', () => {
    const sizer = createBatchSizer({ recordsMax: 5_000, targetMs: 1_000 })
    for (let i = 0; i < 10; i += 1) sizer.done(sizer.records, storeMs(sizer.records, 30))
    expect(sizer.records).toBe(5_000)
  })

  test('shrinks to what a slow store does in the target time, and grows again when it is fast', () => {
    const sizer = createBatchSizer({ recordsMax: 5_000, targetMs: 1_000 })
    for (let i = 0; i < 20; i += 1) sizer.done(sizer.records, storeMs(sizer.records, 5_000))
    expect(storeMs(sizer.records, 5_000)).toBeLessThanOrEqual(1_000)
    expect(sizer.records).toBeGreaterThan(150)
    for (let i = 0; i < 20; i += 1) sizer.done(sizer.records, storeMs(sizer.records, 30))
    expect(sizer.records).toBe(5_000)
  })

  test('halves after each failure, to a few records, from any size', () => {
    const sizer = createBatchSizer({ recordsMax: 5_000, targetMs: 1_000 })
    sizer.failed()
    expect(sizer.records).toBe(2_500)
    for (let i = 0; i < 20; i += 1) sizer.failed()
    expect(sizer.records).toBe(16)
  })

  test('is not changed by a quick small batch', () => {
    const sizer = createBatchSizer({ recordsMax: 5_000, targetMs: 1_000 })
    sizer.failed()
    sizer.done(3, 11)
    expect(sizer.records).toBe(2_500)
  })
})
