import { expect } from '@jest/globals'
import { checkLedger, summarize } from './checker.ts'
import type { Observation } from './ledger.ts'
import { partOf, tamperings } from './tamper.ts'

/** Expects that every promise held. */
export function expectAllHeld(observation: Observation): void {
  const violations = checkLedger(observation)
  expect({ summary: summarize(violations), first: violations.slice(0, 5) }).toEqual({ summary: {}, first: [] })
}

/** Expects that the checker would have seen it otherwise: an eighth of the observation is falsified in every way there is. */
export function expectChecked(observation: Observation): void {
  const part = partOf(observation, new Set(observation.log.flatMap(({ id }, at) => (at % 8 === 0 ? [id] : []))))
  expect(checkLedger(part)).toEqual([])
  for (const { name, observation: tampered, expected } of tamperings(part)) {
    expect({ name, found: checkLedger(tampered) }).toEqual({
      name,
      found: expect.arrayContaining([expect.objectContaining(expected)]),
    })
  }
}
