import { describe, expect, test } from '@jest/globals'
import type { LogBatch } from './log-reader-options.ts'
import { createPartitionLane, type LaneOptions } from './partition-lane.ts'
import { encodeRecordBatch } from './wire/encode-record-batch.ts'
import { readHeads } from './wire/record-set.ts'

const log = { info() {}, warn() {}, error() {}, debug() {} }

function range(from: number, to: number, appendedAtMs = 1) {
  const records = Array.from({ length: to - from + 1 }, () => ({ key: null, value: Buffer.from('x'), headers: {} }))
  const data = encodeRecordBatch(records, { nowMs: appendedAtMs })
  data.writeBigInt64BE(BigInt(from), 0)
  return { from, to, data, heads: readHeads(data, from), aborted: [], highWatermark: to + 1 }
}

function lane(o: Partial<LaneOptions>) {
  return createPartitionLane({
    partition: 0,
    next: 0,
    log,
    handle: async () => ({ type: 'done' }),
    hole: async () => {},
    onReread: () => {},
    onFailed: () => {},
    onDone: () => {},
    withSlot: (work) => work(),
    ...o,
  })
}

async function untilIdle(subject: { readonly busy: boolean }): Promise<void> {
  while (subject.busy) await new Promise(setImmediate)
}

describe('partition lane', () => {
  test('what arrives while a batch is handled is handled as one', async () => {
    const seen: [number, number, number][] = []
    const subject = lane({
      async handle({ firstOffset, lastOffset, records }: LogBatch) {
        seen.push([firstOffset, lastOffset, records.length])
        if (firstOffset === 0) for (const at of [2, 4, 6]) subject.push(range(at, at + 1))
        return { type: 'done' }
      },
    })
    subject.push(range(0, 1))
    await untilIdle(subject)
    expect(seen).toEqual([
      [0, 1, 2],
      [2, 7, 6],
    ])
    expect(subject.next).toBe(8)
    expect(subject.bytes).toBe(0)
  })

  test('tells when the first record that is not handled yet was appended, also while it is handled', async () => {
    const seen: (number | undefined)[] = []
    const subject = lane({
      async handle() {
        seen.push(subject.oldestMs)
        return { type: 'done' }
      },
    })
    expect(subject.oldestMs).toBeUndefined()
    subject.push(range(0, 1, 1000))
    subject.push(range(2, 3, 2000))
    expect(subject.oldestMs).toBe(1000)
    await untilIdle(subject)
    subject.push(range(4, 5, 3000))
    await untilIdle(subject)
    expect(seen).toEqual([1000, 3000])
    expect(subject.oldestMs).toBeUndefined()
  })

  test('with a batch size, what came is cut without a gap, and a batch that failed comes back as its first half', async () => {
    const seen: [number, number, number][] = []
    let failures = 1
    const subject = lane({
      batch: { recordsMax: 100, targetMs: 60_000 },
      async handle({ firstOffset, lastOffset, records }) {
        if (failures-- > 0) throw new Error('too much')
        seen.push([firstOffset, lastOffset, records.length])
        return { type: 'done' }
      },
    })
    subject.push(range(0, 179))
    await untilIdle(subject)
    expect(seen).toEqual([
      [0, 49, 50],
      [50, 149, 100],
      [150, 179, 30],
    ])
    expect(subject.next).toBe(180)
    expect(subject.bytes).toBe(0)
  })

  test('lost records are told before the empty batch that passes them', async () => {
    const seen: unknown[] = []
    const subject = lane({
      hole: async (gap) => void seen.push(gap),
      async handle({ firstOffset, lastOffset, records }) {
        seen.push([firstOffset, lastOffset, records.length])
        return { type: 'done' }
      },
    })
    const gap = { partition: 0, expected: 0, found: 5, logStart: 5 }
    subject.pushGap(gap, 7)
    subject.push(range(5, 6))
    await untilIdle(subject)
    expect(seen).toEqual([gap, [0, 4, 0], [5, 6, 2]])
  })

  test('records that cannot be decoded are tried again, logged and counted, and nothing behind them is handled', async () => {
    const warned: object[] = []
    const seen: number[] = []
    let failures = 0
    const subject = lane({
      log: { ...log, warn: (fields) => void warned.push(fields) },
      handle: async ({ firstOffset }) => {
        seen.push(firstOffset)
        return { type: 'done' }
      },
      onFailed: () => {
        failures += 1
      },
    })
    const bad = range(0, 1)
    const [head] = bad.heads
    const CODEC_ZSTD = 4
    subject.push({ ...bad, heads: head ? [{ ...head, attributes: CODEC_ZSTD }] : [] })
    subject.push(range(2, 3))
    while (warned.length < 2) await new Promise((resolve) => setTimeout(resolve, 10))
    expect(warned.slice(0, 2)).toMatchObject([
      { err: new Error('records compressed by codec 4 cannot be read'), firstOffset: 0, lastOffset: 3, pauseMs: 100 },
      { firstOffset: 0, lastOffset: 3, pauseMs: 200 },
    ])
    await subject.stop()
    expect([subject.busy, subject.next, failures, seen]).toEqual([false, 0, warned.length, []])
  })

  test('takes nothing more once the position was lost', async () => {
    let rereads = 0
    let handled = 0
    const subject = lane({
      async handle() {
        handled += 1
        return { type: 'reread' }
      },
      onReread: () => {
        rereads += 1
      },
    })
    subject.push(range(0, 1))
    await untilIdle(subject)
    subject.push(range(2, 3))
    await untilIdle(subject)
    expect([handled, rereads, subject.next]).toEqual([1, 1, 0])
  })
})
