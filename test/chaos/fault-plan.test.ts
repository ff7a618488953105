import { expect, test } from '@jest/globals'
import { createRandom } from '@ariftly/testkit'
import { nameOf, planFaults, type SystemFault } from './fault-plan.ts'

const plan = (seed: number, minutes: number, brokers: 1 | 3 = 1) =>
  planFaults({ random: createRandom(seed), durationMs: minutes * 60_000, replicas: 2, brokers })

/** Whether one replica dies or all is drawn: both are the same kind. */
const kindOf = (fault: SystemFault) => nameOf(fault).replace('SIGKILL of all', 'SIGKILL of one')

test('a seed gives the same faults at the same moments, another seed gives others', () => {
  expect(plan(7, 10)).toEqual(plan(7, 10))
  expect(plan(7, 10)).not.toEqual(plan(8, 10))
})

test('a short run has every kind of fault once, ten minutes have each three times', () => {
  const kinds = new Set(plan(7, 1.5).map(kindOf))
  expect(kinds.size).toBe(29)
  expect(plan(7, 1.5)).toHaveLength(29)
  const long = plan(7, 10).map(kindOf)
  expect(long).toHaveLength(87)
  for (const kind of kinds) expect(long.filter((name) => name === kind)).toHaveLength(3)
})

test('with three brokers no fault stops all of Kafka, and each fault of brokers is once in a round', () => {
  const names = plan(7, 1.5, 3).map(kindOf)
  expect(names).toHaveLength(31)
  expect(names.filter((name) => /^SIG(KILL|STOP) of kafka$/.test(name))).toEqual([])
  expect(names.filter((name) => /broker|another/.test(name)).toSorted()).toEqual([
    'SIGKILL of one broker of three',
    'SIGKILL of one, SIGSTOP of another',
    'SIGSTOP of one broker of three',
    'one broker refuses services',
  ])
})

test.each([1.5, 10])('in %p minutes all faults begin in the order of time, and end before the run does', (minutes) => {
  for (let seed = 0; seed < 20; seed += 1) {
    const faults = plan(seed, minutes)
    const moments = faults.map(({ atMs }) => atMs)
    expect(moments).toEqual(moments.toSorted((a, b) => a - b))
    expect(moments[0]).toBeGreaterThan(0)
    for (const { atMs, lastsMs } of faults) expect(atMs + lastsMs).toBeLessThan(minutes * 60_000)
  }
})
