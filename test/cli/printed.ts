import type { NewEvent } from '@ariftly/sdk'
import type { PipedCli } from './start-cli.ts'

/** The JSON objects of lines. */
export function objectsOf(text: string): readonly Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

/** The error that a run has ended with; what else it printed on standard error are notices. */
export function errorOf(cli: PipedCli): Record<string, unknown> {
  const lines = cli.stderr().split('\n')
  return objectsOf(lines.filter((line) => line.startsWith('{')).join('\n')).at(-1)?.['error'] as Record<string, unknown>
}

/** An event with a number. */
export function numbered(task: string, n: number): NewEvent<{ n: number }> {
  return { type: 'task.progress', task_id: task, data: { message: 'm', n } }
}
