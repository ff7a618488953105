import { beforeEach, describe, expect, test } from '@jest/globals'
import { createClockSkew, watchClocks, type ClockSkew } from './clock-skew.ts'

const LEADER = 1
const MINUTE = 60_000
let clockMs: number
let skew: ClockSkew

beforeEach(() => {
  clockMs = 1_000_000_000
  skew = createClockSkew({ now: () => clockMs })
})

describe('the clocks of ingest and a leader', () => {
  test('agree while the least difference of half a minute is small, however late acknowledgements come', () => {
    skew.note(LEADER, clockMs - 5)
    skew.note(LEADER, clockMs - 2 * MINUTE)
    expect([skew.admit(LEADER), skew.isBeyond, skew.all().get(LEADER)]).toEqual([true, false, 5])
    expect(skew.now()).toBe(clockMs)
  })

  test.each([
    ['ahead', -11 * MINUTE, -11 * MINUTE],
    ['behind', 11 * MINUTE, 0],
  ])('that is %s lets one post a second through, minted by the earlier clock', (_name, appended, minted) => {
    skew.note(LEADER, clockMs + appended)
    expect([skew.isBeyond, skew.admit(LEADER), skew.admit(LEADER)]).toEqual([true, true, false])
    expect(skew.now()).toBe(clockMs + minted)
    clockMs += 1_000
    expect([skew.admit(LEADER), skew.admit(2)]).toEqual([true, true])
  })

  test('are trusted again at the first acknowledgement that agrees', () => {
    skew.note(LEADER, clockMs - 11 * MINUTE)
    clockMs -= 11 * MINUTE
    skew.note(LEADER, clockMs - 3)
    expect([skew.isBeyond, skew.admit(LEADER), skew.admit(LEADER)]).toEqual([false, true, true])
  })

  test('a difference that grows is seen when the earlier ones are half a minute old', () => {
    skew.note(LEADER, clockMs)
    for (let span = 0; span < 3; span += 1) {
      clockMs += 16_000
      skew.note(LEADER, clockMs - 2 * MINUTE)
    }
    expect(skew.isBeyond).toBe(true)
  })

  test('are compared at each acknowledgement, and not where the topic keeps the time of the producer', async () => {
    const told: number[] = []
    const { send } = watchClocks(
      {
        async send(_records, o) {
          o?.onOutcome?.(0, { type: 'written', baseOffset: 0, appendedAtMs: clockMs - 7, leader: LEADER })
          o?.onOutcome?.(1, { type: 'written', baseOffset: 0, appendedAtMs: -1, leader: 2 })
          return { partitions: new Map(), ok: true }
        },
      },
      skew,
    )
    await send([], { onOutcome: (partition) => told.push(partition) })
    expect([told, [...skew.all()]]).toEqual([[0, 1], [[LEADER, 7]]])
  })
})
