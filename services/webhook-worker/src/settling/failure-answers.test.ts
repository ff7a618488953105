import { expect, test } from '@jest/globals'
import type { AttemptOutcome } from './attempt-outcome.ts'
import { FailureAnswers } from './failure-answers.ts'
import { BODY_BYTES, outcomeOf } from './test-outcome.ts'

function bodyOf(outcome: AttemptOutcome): number | undefined {
  return 'record' in outcome ? outcome.record.responseBody?.length : undefined
}

test('stores answers to failures up to a budget for each tenant, which is refilled with time, and always the attempts', () => {
  let nowMs = 0
  const answers = new FailureAnswers(() => nowMs)
  const keep = (tenant: string) => bodyOf(answers.bound(outcomeOf('failed', { tenant })))
  const first = Array.from({ length: 300 }, () => keep('loud'))
  expect(first.filter((bytes) => bytes === BODY_BYTES)).toHaveLength(256)
  expect(first.slice(256).every((bytes) => bytes === undefined)).toBe(true)
  expect(answers.bound(outcomeOf('failed', { tenant: 'loud' }))).toMatchObject({
    type: 'failed',
    record: { status: 500, errorClass: 'http_5xx' },
  })
  expect(keep('other')).toBe(BODY_BYTES)
  expect(bodyOf(answers.bound(outcomeOf('delivered', { tenant: 'loud' })))).toBe(BODY_BYTES)
  nowMs += 16_000
  expect([keep('loud'), keep('loud')]).toEqual([BODY_BYTES, undefined])
})
