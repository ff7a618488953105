import { expect, test } from '@jest/globals'
import { mayTryAgain, mergeOutcomes, outcomeOf } from './partition-outcome.ts'

const answer = (code: string) => outcomeOf({ partition: 0, code, baseOffset: 7, appendedAtMs: 8 }, 1)

test('an answer is written, refused, left open or not in the log', () => {
  expect(answer('NONE')).toEqual({ type: 'written', baseOffset: 7, appendedAtMs: 8, leader: 1 })
  expect(answer('MESSAGE_TOO_LARGE').type).toBe('refused')
  expect(answer('REQUEST_TIMED_OUT').type).toBe('unknown')
  expect(answer('NOT_ENOUGH_REPLICAS').type).toBe('unsent')
  expect(['NONE', 'MESSAGE_TOO_LARGE'].some((code) => mayTryAgain(answer(code)))).toBe(false)
})

test('a try that was left open stays open whatever a later one says, unless that one is written', () => {
  const open = answer('REQUEST_TIMED_OUT')
  expect(mergeOutcomes(open, answer('MESSAGE_TOO_LARGE'))).toBe(open)
  expect(mergeOutcomes(open, answer('NOT_ENOUGH_REPLICAS'))).toBe(open)
  expect(mergeOutcomes(open, answer('NONE')).type).toBe('written')
  expect(mergeOutcomes(answer('NOT_ENOUGH_REPLICAS'), answer('MESSAGE_TOO_LARGE')).type).toBe('refused')
})
