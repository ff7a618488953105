import { setTimeout as delay } from 'node:timers/promises'
import { eventually } from '@ariftly/testkit'
import { expect, test } from '@jest/globals'
import { PausedUntil } from './paused-until.ts'

/** The pause after one failure is 0.5 to 1 s, after five 8 to 16 s. */
const FIRST_PAUSE_MS_MAX = 1_000

test('a pause ends after its time, and a shorter one does not cut it', async () => {
  const ended: string[] = []
  const paused = new PausedUntil((id) => ended.push(id))
  const startedMs = performance.now()
  paused.pause('a', 200)
  paused.pause('a', 20)
  paused.pause('b', 20)
  expect(paused.ids).toEqual(['a', 'b'])
  await eventually('the first pause has ended', () => ended.length === 1)
  expect([ended, paused.has('a'), paused.has('b')]).toEqual([['b'], true, false])
  await eventually('both pauses have ended', () => ended.length === 2)
  expect(performance.now() - startedMs).toBeGreaterThan(190)
  expect(paused.ids).toEqual([])
})

test('pauses after failures double, and one success begins again', async () => {
  const paused = new PausedUntil()
  for (let failure = 0; failure < 5; failure += 1) paused.failed('a')
  expect([paused.hasFailed('a'), paused.hasFailed('b')]).toEqual([true, false])
  paused.succeeded('a')
  paused.failed('b')
  await delay(FIRST_PAUSE_MS_MAX + 100)
  expect([paused.has('a'), paused.has('b'), paused.hasFailed('a')]).toEqual([true, false, false])
})
