import { newEventId, type LogEvent } from '@ariftly/events'
import { createKafka, createProducer } from '@ariftly/kafka'
import { recordsOf, type World } from '@ariftly/testkit'

/** Writes events straight to the log of a test's world, as any producer that follows the contract may. */
export interface LogWriter {
  /** Resolves when the log has them. */
  append(events: readonly LogEvent[]): Promise<void>
  close(): Promise<void>
}

const PARTITIONS = 12
const SILENT = { debug: ignore, info: ignore, warn: ignore, error: ignore }

export function createLogWriter(world: World): LogWriter {
  const kafka = createKafka({ brokers: [world.env['KAFKA_BROKERS'] ?? ''], clientId: 'test', log: SILENT })
  const producer = createProducer(kafka, { topic: world.topics.topic })
  return {
    async append(events) {
      const outcome = await producer.send(recordsOf(events, PARTITIONS))
      if (!outcome.ok) throw new Error(`the log did not take it: ${JSON.stringify([...outcome.partitions])}`)
    },
    async close() {
      await producer.close()
      await kafka.close()
    },
  }
}

/** An event of a task, with its number among the test's. */
export function numbered(taskId: string, number: number, o: Partial<LogEvent> = {}): LogEvent {
  return {
    tenant: 'acme',
    id: newEventId(Date.now()),
    type: 'task.progress',
    taskId,
    sessionId: null,
    agent: 'tester',
    data: Buffer.from(`{"task_id":"${taskId}","message":"m","n":${number}}`),
    traceparent: null,
    ...o,
  }
}

/** The numbers in the payloads of messages. */
export function numbersOf(messages: readonly { readonly data: string }[]): number[] {
  return messages.map(({ data }) => Number(/"n":(\d+)/.exec(data)?.[1]))
}

function ignore(): void {}
