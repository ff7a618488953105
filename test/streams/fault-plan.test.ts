import { expect, test } from '@jest/globals'
import { createRandom } from '@ariftly/testkit'
import { planFaults, type PlannedFault } from './fault-plan.ts'

const plan = (seed: number) => planFaults({ random: createRandom(seed), durationMs: 60_000, gateways: 3 })
const only = <K extends PlannedFault['kind']>(faults: readonly PlannedFault[], kind: K) =>
  faults.filter((fault): fault is Extract<PlannedFault, { kind: K }> => fault.kind === kind)

test('a seed gives the same faults at the same moments, another seed gives others', () => {
  expect(plan(7)).toEqual(plan(7))
  expect(plan(7)).not.toEqual(plan(8))
})

test('every kind of fault is planned, in the order of time', () => {
  const faults = plan(7)
  expect(new Set(faults.map(({ kind }) => kind))).toEqual(
    new Set(['gateway', 'projector', 'postgres', 'drop', 'quiet']),
  )
  expect(faults.map(({ atMs }) => atMs)).toEqual(faults.map(({ atMs }) => atMs).toSorted((a, b) => a - b))
})

test('no gateway dies in the quiet time before a restart of Postgres', () => {
  for (let seed = 0; seed < 50; seed += 1) {
    const faults = plan(seed)
    for (const { atMs } of only(faults, 'postgres')) {
      expect(only(faults, 'gateway').filter((fault) => fault.atMs > atMs - 8000 && fault.atMs < atMs)).toEqual([])
      expect(only(faults, 'quiet').some((fault) => fault.atMs === atMs - 8000)).toBe(true)
    }
  }
})
