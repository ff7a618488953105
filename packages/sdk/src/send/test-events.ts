import type { ReceivedRequest, ReceiverAnswer, Respond } from '@ariftly/testkit'
import type { NewEvent } from '../types.ts'

/** Headers of a JSON answer. */
export const JSON_TYPE = { 'content-type': 'application/json' }
/** The answer to events that are all accepted. */
export const accepted: ReceiverAnswer = { status: 202, headers: JSON_TYPE, body: '{"object":"list","data":[]}' }
/** An answer with a problem. */
export const problem = (status: number, more: object = {}, headers: Record<string, string> = {}): ReceiverAnswer => ({
  status,
  headers: { 'content-type': 'application/problem+json', ...headers },
  body: JSON.stringify({ type: 'x', title: 'x', status, instance: '/', code: 'some_code', request_id: 'r1', ...more }),
})
/** A numbered event of a task. */
export const progress = (task: string, n: number, message = 'working'): NewEvent<{ n: number }> => ({
  type: 'task.progress',
  task_id: task,
  data: { message, n },
})
/** A posted event. */
export interface Posted {
  readonly id: string
  readonly task_id: string
  readonly data: { readonly n: number }
}
/** The events of a request. */
export const eventsOf = (request: ReceivedRequest) => JSON.parse(request.body.toString()) as Posted[]
/** Their numbers. */
export const numbersOf = (request: ReceivedRequest) => eventsOf(request).map(({ data }) => data.n)

/** Answers requests one after another as given, then accepts. */
export function inTurn(...answers: readonly ReceiverAnswer[]): Respond {
  let next = 0
  return () => answers[next++] ?? accepted
}
