import { describe, expect, test } from '@jest/globals'
import { PartitionGuard } from './partition-guard.ts'
import { encodeRecordBatch } from '../wire/encode-record-batch.ts'
import type { FetchedPartition } from '../wire/fetch.ts'

/** Record batches as a broker answers with them: each `[from, to]` is one batch. */
function answer(batches: readonly (readonly [from: number, to: number])[], extra: Partial<FetchedPartition> = {}) {
  const encoded = batches.map(([from, to]) => {
    const records = Array.from({ length: to - from + 1 }, () => ({ key: null, value: null, headers: {} }))
    const batch = encodeRecordBatch(records, { nowMs: 1 })
    batch.writeBigInt64BE(BigInt(from), 0)
    return batch
  })
  const fetched: FetchedPartition = {
    partition: 0,
    errorCode: 0,
    outOfRange: false,
    highWatermark: 30,
    logStart: 0,
    aborted: [],
    batches: Buffer.concat(encoded),
    ...extra,
  }
  return fetched
}

describe('partition guard', () => {
  test('hands on an unbroken run, also out of a batch that begins below it', () => {
    const guard = new PartitionGuard(5)
    const first = guard.check(
      answer([
        [3, 7],
        [8, 9],
      ]),
    )
    expect(first).toMatchObject({ from: 5, to: 9 })
    expect(guard.check(answer([[10, 12]]))).toMatchObject({ from: 10, to: 12 })
    expect(guard.check(answer([]))).toBeUndefined()
    expect(guard.next).toBe(13)
  })

  test('believes a jump only when two reads from the right offset show the same', () => {
    const guard = new PartitionGuard(5)
    expect(guard.check(answer([[9, 12]]))).toBeUndefined()
    expect(guard.check(answer([[8, 12]]))).toBeUndefined()
    expect(guard.check(answer([[8, 12]]))).toMatchObject({ from: 5, to: 12 })
  })

  test('a jump that heals at the second read was none', () => {
    const guard = new PartitionGuard(5)
    expect(guard.check(answer([[8, 12]]))).toBeUndefined()
    expect(guard.check(answer([[5, 12]]))).toMatchObject({ from: 5, to: 12 })
  })

  test.each([
    ['begins above the next offset', answer([[8, 12]], { logStart: 8 })],
    ['has no such offset', answer([], { outOfRange: true, errorCode: 1 })],
  ])('a log that %s is located again', (_, fetched) => {
    const guard = new PartitionGuard(5)
    expect(guard.check(fetched)).toBe('moved')
    expect(guard.next).toBe(5)
  })

  test('keeps little of a large answer alive', () => {
    const { batches } = answer([[0, 9]])
    const large = Buffer.alloc(8 * 1024 * 1024)
    batches.copy(large)
    const range = new PartitionGuard(0).check(answer([], { batches: large.subarray(0, batches.length) }))
    expect(range).toMatchObject({ from: 0, to: 9, retainedBytes: batches.length })
  })

  test('keeps a part of an answer that is half of it without a copy', () => {
    const { batches } = answer([[0, 9]])
    const both = Buffer.allocUnsafeSlow(2 * batches.length + 100)
    batches.copy(both)
    const range = new PartitionGuard(0).check(answer([], { batches: both.subarray(0, batches.length) }))
    expect(range).toMatchObject({ from: 0, to: 9, retainedBytes: both.length, data: { buffer: both.buffer } })
  })
})
