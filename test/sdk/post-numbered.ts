import type { Ariftly } from '@ariftly/sdk'

/** Posts so many events of the task `streamed`, 50 a call; `data.n` counts them from 0. */
export async function postNumbered(client: Ariftly, count: number): Promise<void> {
  for (let n = 0; n < count; n += 50) {
    await client.events.send(
      Array.from({ length: 50 }, (_, at) => ({
        type: 'task.progress' as const,
        task_id: 'streamed',
        data: { message: 'Analyzing document', n: n + at },
      })),
    )
  }
}
