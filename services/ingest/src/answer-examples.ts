import { renderResults, type EntryResult } from './request/answer.ts'

const ACCEPTED: EntryResult = { status: 'accepted', id: 'evt_01m88y3fz3eeksq399rkr6wnx3' }
const REFUSED: EntryResult = {
  status: 'refused',
  error: { code: 'required', pointer: '/task_id', message: 'is required' },
}

/** Example answers to posts for the reference, by status; rendered like real answers. */
export const ingestAnswerExamples = { 202: resultsOf(ACCEPTED), 207: resultsOf(ACCEPTED, REFUSED) } as const

function resultsOf(...results: readonly EntryResult[]): unknown {
  return JSON.parse(renderResults(results, { single: false, isClockOff: false }).body)
}
