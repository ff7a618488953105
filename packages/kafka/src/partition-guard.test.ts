import { describe, expect, test } from '@jest/globals'
import { newEventId } from '@ariftly/events'
import { createPartitionGuard, type PartitionGuard } from './partition-guard.ts'
import { encodeRecordBatch } from './wire/encode-record-batch.ts'
import type { FetchedPartition } from './wire/fetch.ts'

const ids = Array.from({ length: 30 }, (_, i) => newEventId(1_700_000_000_000 + i))

/** Record batches as a broker answers with them: each `[from, to]` is one batch whose records carry `ids[offset]`. */
function answer(batches: readonly (readonly [from: number, to: number])[], extra: Partial<FetchedPartition> = {}) {
  const encoded = batches.map(([from, to]) => {
    const records = ids.slice(from, to + 1).map((id) => ({ key: null, value: null, headers: { ce_id: id } }))
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

function guardAt(next: number, verify: { offset: number; id: string } | null = null): PartitionGuard {
  return createPartitionGuard({ partition: 0, next, verify })
}

describe('partition guard', () => {
  test('hands on an unbroken run, also out of a batch that begins below it', () => {
    const guard = guardAt(5)
    const first = guard.judge(
      answer([
        [3, 7],
        [8, 9],
      ]),
    )
    expect(first).toMatchObject({ type: 'accept', range: { from: 5, to: 9 } })
    expect(guard.judge(answer([[10, 12]]))).toMatchObject({ type: 'accept', range: { from: 10, to: 12 } })
    expect(guard.next).toBe(13)
  })

  test('believes a jump only when two reads from the right offset show the same', () => {
    const guard = guardAt(5)
    expect(guard.judge(answer([[9, 12]]))).toEqual({ type: 'again' })
    expect(guard.judge(answer([[8, 12]]))).toEqual({ type: 'again' })
    expect(guard.judge(answer([[8, 12]]))).toMatchObject({ type: 'accept', range: { from: 5, to: 12 } })
  })

  test.each([
    ['begins above the next offset', answer([[8, 12]], { logStart: 8 })],
    ['has no such offset', answer([], { outOfRange: true, errorCode: 1 })],
  ])('a log that %s is looked at anew', (_, fetched) => {
    const guard = guardAt(5)
    expect(guard.judge(fetched)).toEqual({ type: 'moved' })
    expect(guard.next).toBe(5)
  })

  test('a jump that heals at the second read was none', () => {
    const guard = guardAt(5)
    guard.judge(answer([[8, 12]]))
    expect(guard.judge(answer([[5, 12]]))).toMatchObject({ type: 'accept', range: { from: 5, to: 12 } })
  })

  test('begins with the last record handled, and drops it once its id is the stored one', () => {
    const guard = guardAt(6, { offset: 4, id: ids[4] ?? '' })
    expect(guard.readFrom).toBe(4)
    expect(
      guard.judge(
        answer([
          [3, 5],
          [6, 8],
        ]),
      ),
    ).toMatchObject({ type: 'accept', range: { from: 6, to: 8 } })
  })

  test('reads on from the next offset when the last record is all there is yet', () => {
    const guard = guardAt(6, { offset: 4, id: ids[4] ?? '' })
    expect(guard.judge(answer([[3, 5]]))).toEqual({ type: 'again' })
    expect(guard.readFrom).toBe(6)
    expect(guard.judge(answer([]))).toEqual({ type: 'again' })
  })

  test('another record, or none, in the place of the last one is another log, at the second sight', () => {
    const guard = guardAt(6, { offset: 4, id: newEventId(1) })
    expect(guard.judge(answer([[3, 8]]))).toEqual({ type: 'again' })
    expect(guard.judge(answer([[3, 8]]))).toMatchObject({ type: 'otherLog', detail: { offset: 4, foundId: ids[4] } })
    const gone = guardAt(6, { offset: 4, id: ids[4] ?? '' })
    gone.judge(answer([[5, 8]]))
    expect(gone.judge(answer([[5, 8]]))).toMatchObject({ type: 'otherLog', detail: { foundId: null } })
  })

  test('the last record that retention has taken meanwhile is not asked for', () => {
    const guard = guardAt(6, { offset: 4, id: ids[4] ?? '' })
    expect(guard.judge(answer([[5, 8]], { logStart: 5 }))).toEqual({ type: 'again' })
    expect(guard.judge(answer([[5, 8]], { logStart: 5 }))).toMatchObject({
      type: 'accept',
      range: { from: 6, to: 8 },
    })
  })

  test('keeps little of a large answer alive', () => {
    const guard = guardAt(0)
    const { batches } = answer([[0, 9]])
    const large = Buffer.alloc(8 * 1024 * 1024)
    batches.copy(large)
    const verdict = guard.judge(answer([], { batches: large.subarray(0, batches.length) }))
    expect(verdict).toMatchObject({ type: 'accept', range: { from: 0, to: 9, retainedBytes: batches.length } })
  })
})
