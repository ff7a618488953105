import { DEAD_LETTER_REASONS, oneOf } from '@ariftly/contract'
import type { Operations } from '../operation.ts'
import { instant, PAGE } from '../parameters.ts'
import { listOf } from '../schema-ref.ts'

/** The route of dead letters. */
export const deadLetterOperations: Operations<'listDeadLetters'> = {
  listDeadLetters: {
    tag: 'Dead letters',
    description:
      'Records of the log that are no events, or that the store refused, newest first, as long as their topic keeps them. Post a corrected event again by `POST /v1/events`. A page checks 2,000 records at most: with a filter it may be short, or empty, and still have `has_more: true`.',
    query: [
      { name: 'reason', description: 'Only this reason.', schema: oneOf(DEAD_LETTER_REASONS) },
      instant('after', 'Only dead letters whose `at` is this time or later (inclusive).'),
      instant('before', 'Only dead letters whose `at` is before this time (exclusive).'),
      ...PAGE,
    ],
    answers: [
      { status: 200, description: 'A page.', content: [{ type: 'application/json', schema: listOf('DeadLetter') }] },
    ],
    problems: [
      { status: 400, codes: ['invalid_parameter', 'invalid_cursor'] },
      { status: 429, codes: ['too_many_queries'] },
    ],
  },
}
