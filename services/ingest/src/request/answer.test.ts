import { describe, expect, test } from '@jest/globals'
import { Problem } from '@ariftly/http'
import { renderResults, type EntryResult } from './answer.ts'

const accepted: EntryResult = { status: 'accepted', id: 'evt_a' }
const retry: EntryResult = { status: 'retry', id: 'evt_b' }
const refused: EntryResult = {
  status: 'refused',
  error: { code: 'required', pointer: '/type', message: 'is required' },
}

/** The status of an answer, and whether it says when to try again. */
function answerTo(results: readonly EntryResult[]): readonly [status: number, retryAfter: boolean] {
  try {
    const { status, headers } = renderResults(results, { single: results.length === 1, unwritten: 'log_unavailable' })
    return [status, 'Retry-After' in headers]
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return [error.status, error.details.headers?.['Retry-After'] !== undefined]
  }
}

describe('the answer to a post', () => {
  test.each<[string, readonly EntryResult[], number, boolean]>([
    ['all accepted', [accepted, accepted], 202, false],
    ['all refused', [refused, refused], 422, false],
    ['none written', [retry, retry], 503, true],
    ['accepted and refused', [accepted, refused], 207, false],
    ['accepted and not written', [accepted, retry], 207, true],
    ['refused and not written', [refused, retry], 207, true],
  ])('with %s is what the contract says', (_what, results, status, retryAfter) => {
    expect(answerTo(results)).toEqual([status, retryAfter])
  })
})
