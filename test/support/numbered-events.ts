import type { LogEvent } from '@ariftly/events'
import { sampleEvent } from '@ariftly/testkit'

/** An event of a task, with its number among the test's. */
export function numbered(taskId: string, number: number, changes: Partial<LogEvent> = {}): LogEvent {
  const data = Buffer.from(`{"task_id":"${taskId}","message":"m","n":${number}}`)
  return sampleEvent({ taskId, agent: 'tester', data, ...changes })
}

/** The numbers in the payloads of messages. */
export function numbersOf(messages: readonly { readonly data: string }[]): number[] {
  return messages.map(({ data }) => Number(/"n":(\d+)/.exec(data)?.[1]))
}
