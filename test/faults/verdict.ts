import { expect } from '@jest/globals'
import { checkLedger, summarize } from './checker.ts'
import type { Observation } from './ledger.ts'
import { partOf, tamperings, twoOfOneTask } from './tamper.ts'

/** Expects that every promise held. */
export function expectAllHeld(observation: Observation): void {
  const violations = checkLedger(observation)
  expect({ summary: summarize(violations), first: violations.slice(0, 5) }).toEqual({ summary: {}, first: [] })
}

/** Expects that the checker would have seen it otherwise: an eighth of the observation is falsified in every way there is. */
export function expectChecked(observation: Observation): void {
  const part = partOf(observation, someOf(observation))
  expect(checkLedger(part)).toEqual([])
  const falsified = tamperings(part)
  expect(falsified.some(({ expected }) => expected.kind === 'order')).toBe(true)
  for (const { name, observation: tampered, expected } of falsified) {
    expect({ name, found: checkLedger(tampered) }).toEqual({
      name,
      found: expect.arrayContaining([expect.objectContaining(expected)]),
    })
  }
}

/** Every eighth event, and of each stream one more and two ordered ones, so that streams with few events are checked too. */
function someOf(observation: Observation): ReadonlySet<string> {
  const ids = new Set(observation.log.flatMap(({ id }, at) => (at % 8 === 0 ? [id] : [])))
  for (const stream of observation.streams) {
    const { received } = stream
    for (const at of [0, ...twoOfOneTask(observation, stream).flat()]) {
      const id = received[at]?.id
      if (id !== undefined) ids.add(id)
    }
  }
  return ids
}
