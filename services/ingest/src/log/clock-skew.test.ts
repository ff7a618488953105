import { beforeEach, describe, expect, test } from '@jest/globals'
import { createClockSkew, watchClocks, type ClockSkew } from './clock-skew.ts'

const [LEADER, OTHER] = [1, 2] as const
const MINUTE = 60_000
let wallMs: number
let upMs: number
let changes: boolean[]
let skew: ClockSkew

beforeEach(() => {
  wallMs = 1_000_000_000_000
  upMs = 5_000
  changes = []
  skew = createClockSkew({ wall: () => wallMs, monotonic: () => upMs, onChange: (is) => changes.push(is) })
})

function pass(ms: number): void {
  wallMs += ms
  upMs += ms
}

/** An acknowledgement of a leader whose clock is ahead of the true time, where the process's is at `wallMs`. */
function acknowledge(leader: number, aheadMs: number, tookMs = 5): void {
  skew.note(leader, { appendedAtMs: wallMs + aheadMs, tookMs })
}

describe('the clocks of ingest and a leader', () => {
  test('agree when the append time lies between the start of the send and its answer, however long that took', () => {
    acknowledge(LEADER, -2 * MINUTE, 3 * MINUTE)
    expect([skew.isBeyond, skew.now(), skew.latest(), skew.all().get(LEADER)]).toEqual([false, wallMs, wallMs, 0])
  })

  test.each([
    ['ahead', -11 * MINUTE, 11 * MINUTE - 5],
    ['behind', 11 * MINUTE, -11 * MINUTE],
  ])(
    "differ as soon as one acknowledgement shows that it is %s; ids are then minted by the leader's",
    (_how, by, is) => {
      acknowledge(LEADER, by)
      expect([skew.isBeyond, skew.all().get(LEADER)]).toEqual([true, is])
      expect([skew.now(), skew.latest()]).toEqual([wallMs - is, Math.max(wallMs, wallMs - is)])
      acknowledge(LEADER, 0)
      expect([skew.isBeyond, skew.now(), skew.latest(), changes]).toEqual([false, wallMs, wallMs, [true, false]])
    },
  )

  test("of one broker alone does not count for ids while another's agrees", () => {
    acknowledge(LEADER, -11 * MINUTE)
    acknowledge(OTHER, -3)
    expect([skew.isBeyond, skew.now(), skew.latest()]).toEqual([true, wallMs, wallMs])
  })

  test('a step of the own clock counts immediately, without an acknowledgement, and ids follow the clock before the step', () => {
    acknowledge(LEADER, 0)
    pass(20)
    wallMs += 11 * MINUTE
    expect([skew.now(), skew.isBeyond, skew.latest()]).toEqual([wallMs - 11 * MINUTE, true, wallMs])
    wallMs -= 11 * MINUTE
    expect([skew.now(), skew.isBeyond]).toEqual([wallMs, false])
  })

  test('a step that put the own clock right is seen at the first acknowledgement', () => {
    acknowledge(LEADER, 0)
    wallMs += 11 * MINUTE
    acknowledge(LEADER, 0)
    expect([skew.now(), skew.isBeyond]).toEqual([wallMs, false])
  })

  test('events that the leader would append out of the window are not written, but once a second', () => {
    acknowledge(LEADER, -11 * MINUTE, 0)
    acknowledge(OTHER, 0)
    const leaderMs = wallMs - 11 * MINUTE
    expect(skew.forecast(LEADER, [leaderMs, leaderMs + 10 * MINUTE])).toBeUndefined()
    expect([skew.forecast(LEADER, [wallMs]), skew.forecast(LEADER, [leaderMs, wallMs])]).toEqual([undefined, leaderMs])
    expect(skew.forecast(OTHER, [wallMs])).toBeUndefined()
    pass(1_000)
    expect([skew.forecast(LEADER, [wallMs]), skew.forecast(LEADER, [wallMs])]).toEqual([undefined, leaderMs + 1_000])
  })

  test('a broker that has left counts for ten minutes more', () => {
    acknowledge(LEADER, -11 * MINUTE)
    pass(11 * MINUTE)
    expect(skew.isBeyond).toBe(true)
    acknowledge(OTHER, 0)
    expect([skew.isBeyond, [...skew.all().keys()]]).toEqual([false, [OTHER]])
  })

  test('are compared at each acknowledgement, and not where the topic keeps the time of the producer', async () => {
    const outcomes: number[] = []
    const { send } = watchClocks(
      {
        async send(_records, o) {
          o?.onOutcome?.(0, { type: 'written', baseOffset: 0, appendedAtMs: wallMs + 2 * MINUTE, leader: LEADER })
          o?.onOutcome?.(1, { type: 'written', baseOffset: 0, appendedAtMs: -1, leader: OTHER })
          return { partitions: new Map(), ok: true }
        },
      },
      skew,
    )
    await send([], { onOutcome: (partition) => outcomes.push(partition) })
    expect([outcomes, [...skew.all()]]).toEqual([[0, 1], [[LEADER, -2 * MINUTE]]])
  })
})
