import { expect, test } from '@jest/globals'
import { createMetrics } from './metrics.ts'
import { registerReaderMetrics, type ReaderNumbers } from './reader-metrics.ts'

test('lag is given in records and in seconds by log time, and is zero when there is none', async () => {
  const metrics = createMetrics()
  let reader: ReaderNumbers | undefined
  registerReaderMetrics(
    metrics,
    'ariftly_test',
    () => reader,
    () => 60_000,
  )
  expect(await metrics.render()).not.toContain('partition=')
  const lag = new Map([
    [0, { next: 10, highWatermark: 10, oldestMs: undefined }],
    [1, { next: 10, highWatermark: 17, oldestMs: 52_500 }],
  ])
  reader = { lag: () => lag, rebuilds: 2, failedBatches: 3, fetches: 4 }
  const text = await metrics.render()
  expect(text).toContain('ariftly_test_lag_records{partition="0"} 0\n')
  expect(text).toContain('ariftly_test_lag_seconds{partition="0"} 0\n')
  expect(text).toContain('ariftly_test_lag_records{partition="1"} 7\n')
  expect(text).toContain('ariftly_test_lag_seconds{partition="1"} 7.5\n')
  expect(text).toContain('ariftly_test_rebuilds_total 2\n')
  expect(text).toContain('ariftly_test_failed_batches_total 3\n')
  expect(text).toContain('ariftly_test_fetches_total 4\n')
})

test('revoked partitions have no metric any more', async () => {
  const metrics = createMetrics()
  const lag = new Map([[4, { next: 0, highWatermark: 5, oldestMs: 1 }]])
  registerReaderMetrics(metrics, 'ariftly_test', () => ({ lag: () => lag, rebuilds: 0, failedBatches: 0, fetches: 0 }))
  expect(await metrics.render()).toContain('partition="4"')
  lag.clear()
  expect(await metrics.render()).not.toContain('partition="4"')
})
