import { EventIdMinter, encodeRecord, partitionOf, typeIdToUuid, type LogEvent } from '@ariftly/events'
import { createProducer, type KafkaClient, type ProducerRecord } from '@ariftly/kafka'

/** Events of as many bytes as in the other benchmarks (`data` of ~230 B), spread over so many tasks. */
const DATA_BYTES = 230
const TASKS = 2_000
const TENANT = 'default'
const AGENTS = ['analyzer', 'planner', 'writer', 'reviewer'] as const
/** So many events a millisecond, ending now: a few minutes of a busy platform. */
const EVENTS_PER_MS = 2
const SEND = 2_000

/** What is in the log: an event's place, and how each reader finds that it has been written. */
export interface Filled {
  readonly events: number
  /** The UUID of the last event of each partition: when all of these are rows, everything is. */
  readonly lastIds: readonly string[]
}

/** Writes `count` events to a topic as ingest does, or (`json`) as the records that a JSON sink takes. */
export async function fillTopic(
  client: KafkaClient,
  o: { readonly topic: string; readonly partitions: number; readonly count: number; readonly json: boolean },
): Promise<Filled> {
  const producer = createProducer(client, { topic: o.topic })
  const minter = new EventIdMinter()
  const startMs = Date.now() - o.count / EVENTS_PER_MS
  const lastIds = new Map<number, string>()
  try {
    for (let from = 0; from < o.count; from += SEND) {
      const numbers = Array.from({ length: Math.min(SEND, o.count - from) }, (_, index) => from + index)
      const records = numbers.map((number) => {
        const event = eventOf(number, minter.mint(Math.floor(startMs + number / EVENTS_PER_MS)))
        const record = encodeRecord(event)
        const partition = partitionOf(record.key, o.partitions)
        lastIds.set(partition, typeIdToUuid('evt', event.id))
        return { ...(o.json ? jsonRecord(record.key, event, partition, number) : record), partition }
      })
      const outcome = await producer.send(records, { timeoutMs: 30_000 })
      if (!outcome.ok) throw new Error('the log could not be filled')
    }
    return { events: o.count, lastIds: [...lastIds.values()] }
  } finally {
    await producer.close()
  }
}

function eventOf(number: number, id: string): LogEvent {
  const task = `task_${number % TASKS}`
  const head = `{"task_id":"${task}","n":${number},"message":"`
  return {
    tenant: TENANT,
    id,
    type: 'task.progress',
    taskId: task,
    sessionId: null,
    agent: AGENTS[number % AGENTS.length] ?? null,
    data: Buffer.from(`${head}${'x'.repeat(DATA_BYTES - head.length - 2)}"}`),
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00',
  }
}

/** The same event as one JSON object with a member for each column, which is what a JDBC sink reads. */
function jsonRecord(
  key: string,
  event: LogEvent,
  partition: number,
  number: number,
): Omit<ProducerRecord, 'partition'> {
  const row = {
    tenant_id: event.tenant,
    id: typeIdToUuid('evt', event.id),
    type: event.type,
    task_id: event.taskId,
    agent: event.agent,
    session_id: event.sessionId,
    epoch: 1,
    partition,
    offset: number,
    appended_at: new Date().toISOString(),
    data: event.data.toString(),
  }
  return { key, value: Buffer.from(JSON.stringify(row)), headers: {} }
}

/** The schema of `jsonRecord`, as Kafka Connect's JSON converter takes it. */
export const JSON_SCHEMA = {
  type: 'struct',
  optional: false,
  fields: [
    { field: 'tenant_id', type: 'string', optional: false },
    { field: 'id', type: 'string', optional: false, name: 'io.debezium.data.Uuid' },
    { field: 'type', type: 'string', optional: false },
    { field: 'task_id', type: 'string', optional: true },
    { field: 'agent', type: 'string', optional: true },
    { field: 'session_id', type: 'string', optional: true },
    { field: 'epoch', type: 'int32', optional: false },
    { field: 'partition', type: 'int32', optional: false },
    { field: 'offset', type: 'int64', optional: false },
    { field: 'appended_at', type: 'string', optional: false, name: 'io.debezium.time.ZonedTimestamp' },
    { field: 'data', type: 'string', optional: false, name: 'io.debezium.data.Json' },
  ],
} as const
