import { expect, test } from '@jest/globals'
import { PausedUntil } from '../paused-until.ts'
import { OrderedScheduler } from './ordered-scheduler.ts'
import type { DeliverySchedulerOptions } from './queue-transaction.ts'

test('knows 100,000 webhooks at most: those before are forgotten, and learnt again', () => {
  const o = { canEnqueue: () => false } as unknown as DeliverySchedulerOptions
  const scheduler = new OrderedScheduler(o, new PausedUntil(), () => {})
  for (let number = 0; number < 100_000; number += 1) scheduler.learn(`whk_${number}`, 'mine')
  expect(scheduler.has('whk_0')).toBe(true)
  scheduler.learn('whk_last', 'mine')
  expect([scheduler.has('whk_0'), scheduler.has('whk_last')]).toEqual([false, true])
  scheduler.learn('whk_0', 'mine')
  expect(scheduler.has('whk_0')).toBe(true)
})
