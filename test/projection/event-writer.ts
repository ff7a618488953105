import type { LogEvent } from '@ariftly/events'
import { eventually, recordsOf, sampleEvent, type World } from '@ariftly/testkit'

const SEND = 2_000

/** Writes events to a world's log in batches, each sent again with the same ids until it is acknowledged. */
export async function writeEvents(world: World, events: readonly LogEvent[]): Promise<void> {
  for (let at = 0; at < events.length; at += SEND) {
    const records = recordsOf(events.slice(at, at + SEND), world.partitions)
    await eventually('the records are in the log', async () => (await world.producer().send(records)).ok)
  }
}

/** The `data.n` of what the projection holds (see {@link numberedEvents}), in order. */
export async function storedNumbers(world: World): Promise<readonly number[]> {
  const { rows } = await world.admin.query<{ n: number }>(`SELECT (data->>'n')::int AS n FROM events ORDER BY 1`)
  return rows.map(({ n }) => n)
}

/** Events whose `data.n` are `from` and following, over 20 tasks; `padding` bytes that do not compress are added to each. */
export function numberedEvents(from: number, count: number, padding?: () => string): readonly LogEvent[] {
  return range(from, from + count).map((n) => {
    const taskId = `task_${n % 20}`
    const more = padding === undefined ? '' : `,"padding":"${padding()}"`
    return sampleEvent({ taskId, data: Buffer.from(`{"task_id":"${taskId}","n":${n},"message":"${n}"${more}}`) })
  })
}

/** The numbers `from` to `to - 1`. */
export function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, index) => from + index)
}
