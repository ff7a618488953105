import { expect, test } from '@jest/globals'
import { mayTryAgain, mergeOutcomes, outcomeOf } from './partition-outcome.ts'

/** The leader's answer has an offset only when it appended the batch. */
function answer(code: string, baseOffset = code === 'NONE' ? 7 : -1) {
  return outcomeOf({ partition: 0, code, baseOffset, appendedAtMs: 8 }, 1)
}

test('an answer is written, refused, left open or not in the log', () => {
  expect(answer('NONE')).toEqual({ type: 'written', baseOffset: 7, appendedAtMs: 8, leader: 1 })
  expect(answer('MESSAGE_TOO_LARGE').type).toBe('refused')
  expect(answer('REQUEST_TIMED_OUT').type).toBe('unknown')
  expect(answer('NOT_ENOUGH_REPLICAS').type).toBe('unsent')
  expect(['NONE', 'MESSAGE_TOO_LARGE'].some((code) => mayTryAgain(answer(code)))).toBe(false)
})

test('a leader that is replaced after it appended the batch leaves open whether the batch is in the log', () => {
  expect(answer('NOT_LEADER_OR_FOLLOWER', 7).type).toBe('unknown')
  expect(answer('NOT_LEADER_OR_FOLLOWER').type).toBe('unsent')
})

test('an unknown outcome stays unknown with any later outcome, unless that one is written', () => {
  const open = answer('REQUEST_TIMED_OUT')
  expect(mergeOutcomes(open, answer('MESSAGE_TOO_LARGE'))).toBe(open)
  expect(mergeOutcomes(open, answer('NOT_ENOUGH_REPLICAS'))).toBe(open)
  expect(mergeOutcomes(open, answer('NONE')).type).toBe('written')
  expect(mergeOutcomes(answer('NOT_ENOUGH_REPLICAS'), answer('MESSAGE_TOO_LARGE')).type).toBe('refused')
})
