import { expect, test } from '@jest/globals'
import { recoveries, renderRecoveries, type Passage, type Stage } from './recovery.ts'

const passage = (stage: Stage, dueMs: number, passedMs: number): Passage => ({ stage, dueMs, passedMs })

const faults = [
  { name: 'stop', fromMs: 10_000, endMs: 14_000 },
  { name: 'kill', fromMs: 30_000, endMs: 30_000 },
  { name: 'stop', fromMs: 50_000, endMs: 52_000 },
]

test('a fault is felt until the last late event of its time has passed, from its end', () => {
  const [kill, stop] = recoveries(faults, [
    passage('acknowledged', 10_500, 14_200),
    passage('acknowledged', 13_900, 14_950), // late, but not the last
    passage('acknowledged', 14_800, 15_700), // in time
    passage('streamed', 9500, 15_000), // under way when the fault began
    passage('delivered', 51_000, 51_800), // in time
    passage('projected', 30_100, 41_000),
    passage('projected', 40_000, 41_000), // just in time
  ])
  expect(stop).toEqual({
    name: 'stop',
    times: 2,
    felt: {
      acknowledged: { median: 0, worst: 950 },
      projected: undefined,
      streamed: { median: 0, worst: 1000 },
      delivered: undefined,
    },
  })
  expect(kill?.felt.projected).toEqual({ median: 11_000, worst: 11_000 })
})

test('events that are late only during a fault give it a recovery time of zero', () => {
  const [, stop] = recoveries(faults, [passage('acknowledged', 10_500, 13_000)])
  expect(stop?.felt.acknowledged).toEqual({ median: 0, worst: 0 })
})

test('events that are late before any fault are charged to none', () => {
  for (const { felt } of recoveries(faults, [passage('acknowledged', 1000, 8000)])) {
    expect(felt.acknowledged).toBeUndefined()
  }
})

test('is shown in seconds', () => {
  expect(renderRecoveries(recoveries(faults.slice(0, 1), [passage('acknowledged', 13_000, 15_250)]))).toBe(
    [
      '| fault | times | acknowledged | projected | streamed | delivered |',
      '| --- | --- | --- | --- | --- | --- |',
      '| stop | 1 | 1.3 / 1.3 | – | – | – |',
    ].join('\n'),
  )
})
