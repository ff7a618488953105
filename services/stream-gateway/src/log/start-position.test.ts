import { describe, expect, test } from '@jest/globals'
import { dominates } from './offset-vector.ts'
import { beyondEnd, knownEnd, readerStart, resumeAt } from './start-position.ts'

const MIB = 1024 * 1024

describe('the reader begins', () => {
  test("at the smaller of the projection's position and the first record to keep in memory, not before the log", () => {
    const start = readerStart({
      logStart: Float64Array.of(0, 100, 0, 900),
      logEnd: Float64Array.of(1000, 1000, 1000, 1000),
      projected: new Map([
        [0, 10],
        [1, 50],
        [2, 1000],
      ]),
      ringBytesMax: MIB,
    })
    expect([...start]).toEqual([10, 100, 744, 900])
  })

  test('nowhere when the projection is ahead of the log', () => {
    expect(beyondEnd({ logEnd: Float64Array.of(5, 5), projected: new Map([[1, 6]]) })).toEqual([1])
    expect(beyondEnd({ logEnd: Float64Array.of(5, 5), projected: new Map([[1, 5]]) })).toEqual([])
  })
})

describe('a position is beyond the log', () => {
  const identity = { clusterId: 'cluster', topicId: 'topic' }
  const ends = [
    { partition: 0, logEnd: 100 },
    { partition: 2, logEnd: 100 },
  ]

  test.each([
    ['not above the end of a partition that cannot be asked about', identity, [100, 101, 100], false],
    ['above the end of such a partition', identity, [100, 0, 101], true],
    ['not when the answer is about another log', { ...identity, topicId: 'other' }, [101, 101, 101], false],
  ])('%s', (_, found, position, expected) => {
    const end = knownEnd({ ...found, partitions: ends }, { identity, partitionCount: 3 })
    expect(!dominates(end, Float64Array.from(position))).toBe(expected)
  })
})

describe('a stream that resumes', () => {
  const floor = Float64Array.of(10, 0)

  test('continues where it was', () => {
    const position = Float64Array.of(10, 3)
    expect(resumeAt({ epoch: 2, floor, asked: { epoch: 2, position } })).toEqual({ kind: 'at', position })
  })

  test('is reset when its epoch or partitions are others, or its position is older than the history', () => {
    expect(resumeAt({ epoch: 2, floor, asked: { epoch: 1, position: Float64Array.of(50, 50) } })).toEqual({
      kind: 'reset',
      reason: 'log_changed',
      position: floor,
    })
    expect(resumeAt({ epoch: 2, floor, asked: { epoch: 2, position: Float64Array.of(50) } })).toMatchObject({
      reason: 'log_changed',
    })
    expect(resumeAt({ epoch: 2, floor, asked: { epoch: 2, position: Float64Array.of(9, 7) } })).toEqual({
      kind: 'reset',
      reason: 'history_expired',
      position: Float64Array.of(10, 7),
    })
  })
})
