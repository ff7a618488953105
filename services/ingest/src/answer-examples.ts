import { renderResults, type EntryResult } from './request/answer.ts'

const ACCEPTED: EntryResult = { status: 'accepted', id: 'evt_01m88y3fz3eeksq399rkr6wnx3' }
const REFUSED: EntryResult = {
  status: 'refused',
  error: { code: 'required', pointer: '/task_id', message: 'is required' },
}

/** Examples of what is said about posted events, for the reference, by the status of the answer; rendered as answers are. */
export const ingestAnswerExamples = { 202: resultsOf(ACCEPTED), 207: resultsOf(ACCEPTED, REFUSED) } as const

function resultsOf(...results: readonly EntryResult[]): unknown {
  return JSON.parse(renderResults(results, { single: false, isClockOff: false }).body)
}
