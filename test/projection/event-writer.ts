import { newEventId, type LogEvent } from '@ariftly/events'
import { createKafka, createProducer, type KafkaClient } from '@ariftly/kafka'
import { createLogger } from '@ariftly/runtime'
import { eventually, recordsOf, type World } from '@ariftly/testkit'

/** Writes events to a world's log as any producer may, and reads what the projection made of them. */
export interface EventWriter {
  readonly client: KafkaClient
  /** Resolves when all are acknowledged; until then they are sent again under the same ids. */
  write(events: readonly LogEvent[]): Promise<void>
  /** The ids of the rows, in the form of the API's `data.n` (see {@link numberedEvents}), in order. */
  numbers(): Promise<readonly number[]>
  close(): Promise<void>
}

const TENANT = 'acme'
const SEND = 2_000

/** Makes one; `partitions` is the number of the world's topic. */
export function createEventWriter(world: World, partitions: number): EventWriter {
  const log = createLogger({ service: 'test', level: 'silent' })
  const client = createKafka({ brokers: (world.env['KAFKA_BROKERS'] ?? '').split(','), clientId: 'test', log })
  const producer = createProducer(client, { topic: world.topics.topic })

  async function write(events: readonly LogEvent[]): Promise<void> {
    for (let at = 0; at < events.length; at += SEND) {
      const records = recordsOf(events.slice(at, at + SEND), partitions)
      await eventually(async () => (await producer.send(records)).ok)
    }
  }

  async function numbers(): Promise<readonly number[]> {
    const { rows } = await world.admin.query<{ n: number }>(`SELECT (data->>'n')::int AS n FROM events ORDER BY 1`)
    return rows.map(({ n }) => n)
  }

  return {
    client,
    write,
    numbers,
    async close() {
      await producer.close()
      await client.close()
    },
  }
}

/** Events whose `data.n` are `from` and following, over 20 tasks; `padding` bytes that do not compress are added to each. */
export function numberedEvents(from: number, count: number, padding?: () => string): readonly LogEvent[] {
  return Array.from({ length: count }, (_, index) => {
    const n = from + index
    const taskId = `task_${n % 20}`
    const more = padding === undefined ? '' : `,"padding":"${padding()}"`
    return {
      tenant: TENANT,
      id: newEventId(Date.now()),
      type: 'task.progress' as const,
      taskId,
      sessionId: null,
      agent: null,
      data: Buffer.from(`{"task_id":"${taskId}","n":${n},"message":"${n}"${more}}`),
      traceparent: null,
    }
  })
}

/** The numbers `from` to `to - 1`. */
export function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, index) => from + index)
}
