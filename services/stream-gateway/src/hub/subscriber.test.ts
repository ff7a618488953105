import { expect, test } from '@jest/globals'
import { FROM, PHASES, type Phase } from './phases.ts'
import type { Subscriber } from './subscriber.ts'

/** Compiles only while what a stream owns is readonly for others. */
export function writeFromOutside(subscriber: Subscriber): void {
  // @ts-expect-error Its own methods move it.
  subscriber.position[0] = 1
  // @ts-expect-error
  subscriber.position = new Float64Array(1)
  // @ts-expect-error
  subscriber.phase = 'live'
  // @ts-expect-error
  subscriber.group = undefined
}

test('every phase is reached from `starting`, and none from `closed`', () => {
  const reached = new Set<Phase>(['starting'])
  for (const phase of reached) for (const next of PHASES) if (FROM[next].includes(phase)) reached.add(next)
  expect([...reached].toSorted()).toEqual(PHASES.toSorted())
  expect(PHASES.filter((phase) => FROM[phase].includes('closed'))).toEqual([])
})
