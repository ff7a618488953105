import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { Breaker } from './breaker.ts'

const [SICK, WELL] = [0, 1] as const
let alive: boolean
let writable: boolean
let leaderless: Set<number>
let opened: number[]
let breaker: Breaker

beforeEach(async () => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick'] })
  alive = true
  writable = true
  leaderless = new Set()
  opened = []
  start()
  await pass(0)
})

afterEach(() => {
  breaker.close()
  jest.useRealTimers()
})

function start(): void {
  breaker = new Breaker({
    partitions: 2,
    probe: async () => alive,
    isWritable: () => writable,
    hasLeader: (partition) => !leaderless.has(partition),
    onOpen: (partition) => opened.push(partition),
    now: () => Date.now(),
  })
}

async function pass(ms: number): Promise<void> {
  await jest.advanceTimersByTimeAsync(ms)
}

function send(partition: number, type: 'written' | 'refused' | 'unknown' | 'unsent'): void {
  breaker.sendBegan(partition)
  breaker.sendEnded(partition, { type })
}

describe('the breaker', () => {
  test('admits nothing before a broker has answered, then everything', async () => {
    breaker.close()
    alive = false
    start()
    await pass(1000)
    expect([breaker.admit(WELL), breaker.started]).toEqual([false, false])
    alive = true
    await pass(250)
    expect([breaker.admit(WELL), breaker.admit(WELL), breaker.started]).toEqual([true, true, true])
  })

  test.each(['unknown', 'unsent'] as const)('opens the one partition whose send ended %s', (type) => {
    send(SICK, type)
    expect([breaker.admit(SICK), breaker.admit(WELL), opened]).toEqual([false, true, [SICK]])
  })

  test('opens a partition whose send is slow, and closes it when that send is answered after all', async () => {
    breaker.sendBegan(SICK)
    for (let half = 0; half < 5; half += 1) {
      send(WELL, 'written')
      await pass(500)
    }
    expect([breaker.stateOf(SICK), breaker.stateOf(WELL), opened]).toEqual(['open', 'closed', [SICK]])
    breaker.sendEnded(SICK, { type: 'written' })
    expect(breaker.admit(SICK)).toBe(true)
  })

  test('opens a partition that has no leader, and tries it as soon as it has one', async () => {
    leaderless.add(SICK)
    await pass(2500)
    expect([breaker.stateOf(SICK), breaker.stateOf(WELL)]).toEqual(['open', 'closed'])
    leaderless.delete(SICK)
    await pass(250)
    expect([breaker.stateOf(SICK), breaker.admit(SICK), breaker.admit(SICK)]).toEqual(['halfOpen', true, false])
  })

  test('opens everything within about two seconds when all brokers fall silent, without traffic too', async () => {
    alive = false
    await pass(2500)
    expect([breaker.openPartitions, opened]).toEqual([2, [SICK, WELL]])
  })

  test('allows one write when the brokers answer again, and that write decides', async () => {
    send(SICK, 'unknown')
    await pass(250)
    expect([breaker.isTrial(SICK), breaker.admit(SICK), breaker.admit(SICK)]).toEqual([true, true, false])
    send(SICK, 'unsent')
    expect([breaker.stateOf(SICK), breaker.admit(SICK)]).toEqual(['open', false])
    await pass(250)
    expect(breaker.admit(SICK)).toBe(true)
    send(SICK, 'written')
    expect([breaker.stateOf(SICK), breaker.admit(SICK), breaker.admit(SICK)]).toEqual(['closed', true, true])
  })

  test('counts the partitions that refuse a write: none when the brokers are back, without any write', async () => {
    alive = false
    await pass(2500)
    expect(breaker.openPartitions).toBe(2)
    alive = true
    await pass(250)
    expect([breaker.openPartitions, breaker.stateOf(SICK), breaker.stateOf(WELL)]).toEqual([0, 'halfOpen', 'halfOpen'])
    // While its trial is under way a partition refuses all others.
    expect([breaker.admit(SICK), breaker.openPartitions, breaker.admit(SICK)]).toEqual([true, 1, false])
    send(SICK, 'unsent')
    expect(breaker.openPartitions).toBe(1)
    await pass(250)
    expect([breaker.openPartitions, breaker.admit(SICK)]).toEqual([0, true])
    send(SICK, 'written')
    expect(breaker.openPartitions).toBe(0)
  })

  test('a trial that is answered late closes the partition, and no other is let through meanwhile', async () => {
    send(SICK, 'unknown')
    await pass(250)
    expect(breaker.admit(SICK)).toBe(true)
    breaker.sendBegan(SICK)
    for (let second = 0; second < 4; second += 1) {
      await pass(1000)
      expect(breaker.admit(SICK)).toBe(false)
    }
    breaker.sendEnded(SICK, { type: 'written' })
    expect([breaker.stateOf(SICK), breaker.admit(SICK)]).toEqual(['closed', true])
  })

  test('a trial that was never sent does not keep the partition closed to others', async () => {
    send(SICK, 'unknown')
    await pass(250)
    expect(breaker.admit(SICK)).toBe(true)
    await pass(3500)
    expect(breaker.admit(SICK)).toBe(true)
  })

  test('does not open while writes succeed, with any metadata', async () => {
    alive = false
    for (let second = 0; second < 10; second += 1) {
      send(WELL, 'written')
      await pass(1000)
    }
    expect(breaker.stateOf(WELL)).toBe('closed')
  })

  test('admits nothing while the topic is not the right one', () => {
    writable = false
    expect(breaker.admit(WELL)).toBe(false)
  })
})
