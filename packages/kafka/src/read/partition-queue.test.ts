import { afterEach, describe, expect, test } from '@jest/globals'
import { deferred, sleep } from '@ariftly/async'
import { eventually } from '@ariftly/testkit'
import type { LogBatch } from './log-reader-options.ts'
import { PartitionQueue, type PartitionQueueOptions } from './partition-queue.ts'
import { encodeRecordBatch } from '../wire/encode-record-batch.ts'
import { readHeads } from '../wire/record-set.ts'

const log = { info() {}, warn() {}, error() {}, debug() {} }
/** Enough turns of the event loop for what must not happen. */
const TURNS_MS = 5
const stopping: AbortController[] = []

afterEach(() => {
  for (const abort of stopping.splice(0)) abort.abort()
})

function range(from: number, to: number, appendedAtMs = 1) {
  const records = Array.from({ length: to - from + 1 }, () => ({ key: null, value: Buffer.from('x'), headers: {} }))
  const data = encodeRecordBatch(records, { nowMs: appendedAtMs })
  data.writeBigInt64BE(BigInt(from), 0)
  return {
    from,
    to,
    data,
    retainedBytes: data.length,
    heads: readHeads(data, from),
    aborted: [],
  }
}

/** One record of so many bytes, which packs to a thousandth. */
function packed(offset: number, bytes: number) {
  const data = encodeRecordBatch([{ key: null, value: Buffer.alloc(bytes, 'a'), headers: {} }], {
    nowMs: 1,
    compression: 'gzip',
  })
  data.writeBigInt64BE(BigInt(offset), 0)
  const heads = readHeads(data, offset)
  return { from: offset, to: offset, data, retainedBytes: data.length, heads, aborted: [] }
}

/** A queue whose records are handled until the end of the test. */
function queueOf(o: Partial<PartitionQueueOptions>) {
  const queue = new PartitionQueue({
    partition: 0,
    next: 0,
    log,
    handle: async () => ({ type: 'done' }),
    onGap: async () => {},
    onFailed: () => {},
    ...o,
  })
  const abort = new AbortController()
  stopping.push(abort)
  return { queue, stop: () => abort.abort(), ended: queue.handleAll(abort.signal) }
}

describe('partition queue', () => {
  test('what arrives while a batch is handled is handled as one', async () => {
    const seen: [number, number, number][] = []
    const { queue } = queueOf({
      async handle({ firstOffset, lastOffset, records }: LogBatch) {
        seen.push([firstOffset, lastOffset, records.length])
        if (firstOffset === 0) for (const at of [2, 4, 6]) queue.push(range(at, at + 1))
        return { type: 'done' }
      },
    })
    queue.push(range(0, 1))
    await eventually('8 offsets are handled', () => queue.next === 8)
    expect(seen).toEqual([
      [0, 1, 2],
      [2, 7, 6],
    ])
    expect(queue.next).toBe(8)
    expect(queue.bytes).toBe(0)
  })

  test('reports when the first unhandled record was appended, also while it is being handled', async () => {
    const seen: (number | undefined)[] = []
    const { queue } = queueOf({
      async handle() {
        seen.push(queue.oldestMs)
        return { type: 'done' }
      },
    })
    expect(queue.oldestMs).toBeUndefined()
    queue.push(range(0, 1, 1000))
    queue.push(range(2, 3, 2000))
    expect(queue.oldestMs).toBe(1000)
    await eventually('4 offsets are handled', () => queue.next === 4)
    queue.push(range(4, 5, 3000))
    await eventually('6 offsets are handled', () => queue.next === 6)
    expect(seen).toEqual([1000, 3000])
    expect(queue.oldestMs).toBeUndefined()
  })

  test('with a batch size, records are split without a gap, and a failed batch is retried as its first half', async () => {
    const seen: [number, number, number][] = []
    let failures = 1
    const { queue } = queueOf({
      batch: { recordsMax: 100, targetMs: 60_000 },
      async handle({ firstOffset, lastOffset, records }) {
        if (failures-- > 0) throw new Error('too much')
        seen.push([firstOffset, lastOffset, records.length])
        return { type: 'done' }
      },
    })
    queue.push(range(0, 179))
    await eventually('180 offsets are handled', () => queue.next === 180)
    expect(seen).toEqual([
      [0, 49, 50],
      [50, 149, 100],
      [150, 179, 30],
    ])
    expect(queue.next).toBe(180)
    expect(queue.bytes).toBe(0)
  })

  test('lost records are reported before the empty batch that skips them', async () => {
    const seen: unknown[] = []
    const gap = { partition: 0, expected: 0, found: 5 }
    const { queue } = queueOf({
      gap,
      onGap: async (lost) => void seen.push(lost),
      async handle({ firstOffset, lastOffset, records }) {
        seen.push([firstOffset, lastOffset, records.length])
        return { type: 'done' }
      },
    })
    queue.push(range(5, 6))
    await eventually('7 offsets are handled', () => queue.next === 7)
    expect(seen).toEqual([gap, [0, 4, 0], [5, 6, 2]])
  })

  test('records that cannot be decoded are retried, logged and counted, and no later record is handled', async () => {
    const warned: object[] = []
    const seen: number[] = []
    let failures = 0
    const { queue } = queueOf({
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
    const CODEC_LZ4 = 3
    queue.push({ ...bad, heads: head ? [{ ...head, attributes: CODEC_LZ4 }] : [] })
    queue.push(range(2, 3))
    await eventually('2 warnings', () => warned.length >= 2)
    const err = expect.objectContaining({
      code: 'records_unreadable',
      message: 'Offsets 0 to 1 of partition 0: records compressed by codec 3 (lz4) cannot be read.',
    })
    const again = { err, partition: 0, firstOffset: 0, pauseMs: expect.any(Number) }
    expect(warned.slice(0, 2)).toEqual([again, again])
    expect([queue.next, failures, seen]).toEqual([0, warned.length, []])
  })

  test('handles nothing more once the position was lost', async () => {
    let handled = 0
    const { queue, ended } = queueOf({
      async handle() {
        handled += 1
        return { type: 'reread' }
      },
    })
    queue.push(range(0, 1))
    await ended
    queue.push(range(2, 3))
    await sleep(TURNS_MS)
    expect([handled, queue.next]).toEqual([1, 0])
  })

  test('does not decode at a time what unpacks to far more', async () => {
    const seen: [number, number][] = []
    const { queue } = queueOf({
      async handle({ firstOffset, lastOffset }) {
        seen.push([firstOffset, lastOffset])
        return { type: 'done' }
      },
    })
    for (let at = 0; at < 4; at += 1) queue.push(packed(at, 10 * 1024 * 1024))
    await eventually('4 offsets are handled', () => queue.next === 4)
    expect(seen).toEqual([
      [0, 1],
      [2, 3],
    ])
  })

  test('takes batches again when the batches that fill it are handled', async () => {
    const abort = new AbortController()
    stopping.push(abort)
    const held = deferred()
    const { queue } = queueOf({
      async handle() {
        await held.promise
        return { type: 'done' }
      },
    })
    queue.push({ ...range(0, 1), retainedBytes: 5 * 1024 * 1024 })
    let hasRoom = false
    async function waitForRoom(): Promise<void> {
      await queue.room(abort.signal)
      hasRoom = true
    }
    const room = waitForRoom()
    await sleep(TURNS_MS)
    expect(hasRoom).toBe(false)
    held.resolve()
    await room
    expect(queue.bytes).toBe(0)
  })
})
