import { encodeRecord, newEventId, partitionOf } from '@ariftly/events'
import { createKafka, createProducer } from '@ariftly/kafka'
import { message } from './workload.ts'

/** Writes events to the log as ingest would, past ingest. */
export interface Feed {
  /** Writes events with these numbers and resolves when the log has them. */
  send(events: readonly FeedEvent[]): Promise<void>
  close(): Promise<void>
}

/** One event of type `task.progress`, of agent `bench`. */
interface FeedEvent {
  readonly number: number
  readonly taskId: string
}

const PARTITIONS = 12
/** Bytes of the payload's text: the whole frame has about 220 bytes. */
const TEXT_BYTES = 52
const SILENT = { debug: ignore, info: ignore, warn: ignore, error: ignore }

export function createFeed(o: {
  readonly broker: string
  readonly topic: string
  /** Default: the tenant of the streams' key. */
  readonly tenant?: string
  readonly textBytes?: number
}): Feed {
  const kafka = createKafka({ brokers: [o.broker], clientId: 'bench-feed', log: SILENT })
  const producer = createProducer(kafka, { topic: o.topic })

  async function send(events: readonly FeedEvent[]): Promise<void> {
    const records = events.map(({ number, taskId }) => {
      const encoded = encodeRecord({
        tenant: o.tenant ?? 'default',
        id: newEventId(Date.now()),
        type: 'task.progress',
        taskId,
        sessionId: null,
        agent: 'bench',
        data: Buffer.from(`{"task_id":"${taskId}","message":"${message(number, o.textBytes ?? TEXT_BYTES)}"}`),
        traceparent: null,
      })
      return { partition: partitionOf(encoded.key, PARTITIONS), ...encoded }
    })
    const outcome = await producer.send(records)
    if (!outcome.ok) throw new Error(`the log did not take it: ${JSON.stringify([...outcome.partitions])}`)
  }

  async function close(): Promise<void> {
    await producer.close()
    await kafka.close()
  }

  return { send, close }
}

function ignore(): void {}
