import type { LogEvent } from '@ariftly/events'

/** The payloads of events as text. */
export function dataOf(events: readonly LogEvent[]): string[] {
  return events.map(({ data }) => data.toString())
}

/** The payloads of each task, in their order. */
export function byTask(payloads: readonly string[]): Map<string, string[]> {
  const tasks = new Map<string, string[]>(payloads.map((data) => [data.slice(0, data.indexOf(',')), []]))
  for (const data of payloads) tasks.get(data.slice(0, data.indexOf(',')))?.push(data)
  return tasks
}

/** A payload of some `bytes`. */
export function padded(taskId: string, round: number, bytes = 300): Buffer {
  return Buffer.from(`{"task_id":"${taskId}","round":${round},"text":"${'x'.repeat(bytes)}"}`)
}
