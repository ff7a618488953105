import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { createBreaker, type Breaker } from './breaker.ts'

let alive: boolean
let opened: number
let breaker: Breaker

beforeEach(async () => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick'] })
  alive = true
  opened = 0
  breaker = createBreaker({
    probe: async () => alive,
    onOpen: () => {
      opened += 1
    },
    now: () => Date.now(),
  })
  await jest.advanceTimersByTimeAsync(0)
})

afterEach(() => {
  breaker.close()
  jest.useRealTimers()
})

async function pass(ms: number): Promise<void> {
  await jest.advanceTimersByTimeAsync(ms)
}

describe('the breaker', () => {
  test('admits nothing before Kafka has given a sign of life, then everything', async () => {
    breaker.close()
    alive = false
    breaker = createBreaker({ probe: async () => alive, onOpen: () => {}, now: () => Date.now() })
    await pass(1000)
    expect([breaker.admit(), breaker.started]).toEqual([false, false])
    alive = true
    await pass(250)
    expect([breaker.admit(), breaker.admit(), breaker.started]).toEqual([true, true, true])
  })

  test('opens when a send failed and none succeeded since it began', () => {
    const send = breaker.sendBegan()
    breaker.sendEnded(send, false)
    expect([breaker.state, breaker.admit(), opened]).toEqual(['open', false, 1])
  })

  test('stays closed when another send was answered meanwhile', async () => {
    const failing = breaker.sendBegan()
    await pass(10)
    breaker.sendEnded(breaker.sendBegan(), true)
    breaker.sendEnded(failing, false)
    expect(breaker.state).toBe('closed')
  })

  test('opens within about two seconds when Kafka falls silent, with a send under way or without', async () => {
    alive = false
    breaker.sendBegan()
    await pass(1500)
    expect([breaker.state, opened]).toEqual(['open', 1])
    breaker.close()
    alive = true
    breaker = createBreaker({ probe: async () => alive, onOpen: () => {}, now: () => Date.now() })
    await pass(250)
    alive = false
    await pass(2500)
    expect(breaker.state).toBe('open')
  })

  test('lets one write through after a probe; its outcome decides', async () => {
    breaker.sendEnded(breaker.sendBegan(), false)
    await pass(250)
    expect(breaker.state).toBe('halfOpen')
    expect([breaker.admit(), breaker.admit()]).toEqual([true, false])
    await pass(1)
    breaker.sendEnded(breaker.sendBegan(), false)
    expect([breaker.state, breaker.admit()]).toEqual(['open', false])
    await pass(250)
    expect(breaker.admit()).toBe(true)
    breaker.sendEnded(breaker.sendBegan(), true)
    expect([breaker.state, breaker.admit(), breaker.admit()]).toEqual(['closed', true, true])
  })

  test('does not ask while writes succeed', async () => {
    alive = false
    for (let second = 0; second < 10; second++) {
      breaker.sendEnded(breaker.sendBegan(), true)
      await pass(1000)
    }
    expect(breaker.state).toBe('closed')
  })
})
