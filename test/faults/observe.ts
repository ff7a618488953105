import { randomUUID } from 'node:crypto'
import { Kafka, logLevel, type EachBatchPayload, type KafkaMessage } from 'kafkajs'
import type { PlacedEvent } from './ledger.ts'
import type { Queries } from './open-transactions.ts'

/** Every record of the topic, read by a plain kafkajs consumer from the first offset to the end it had at the call. */
export async function readLog(brokers: readonly string[], topic: string): Promise<readonly PlacedEvent[]> {
  const kafka = new Kafka({ brokers: [...brokers], clientId: 'faults-observer', logLevel: logLevel.NOTHING })
  const ends = await endOffsets(kafka, topic)
  const wanted = [...ends.values()].reduce((sum, end) => sum + end, 0)
  const consumer = kafka.consumer({ groupId: `faults-observer-${randomUUID()}`, allowAutoTopicCreation: false })
  const records: PlacedEvent[] = []
  await consumer.connect()
  try {
    await consumer.subscribe({ topic, fromBeginning: true })
    await new Promise<void>((resolve, reject) => {
      if (wanted === 0) resolve()
      const done = new Map<number, number>()
      const eachBatch = async ({ batch: { partition, messages } }: EachBatchPayload) => {
        const end = ends.get(partition) ?? 0
        const wantedOnes = messages.filter((message) => Number(message.offset) < end)
        for (const message of wantedOnes) records.push(placedEvent(partition, message))
        const last = wantedOnes.at(-1)
        if (last !== undefined) done.set(partition, Number(last.offset) + 1)
        if ([...done.values()].reduce((sum, next) => sum + next, 0) >= wanted) resolve()
      }
      consumer.run({ eachBatch }).catch(reject)
    })
  } finally {
    await consumer.disconnect()
  }
  return records
}

/** How many records the topic has. */
export async function countRecords(brokers: readonly string[], topic: string): Promise<number> {
  const kafka = new Kafka({ brokers: [...brokers], clientId: 'faults-observer', logLevel: logLevel.NOTHING })
  const ends = await endOffsets(kafka, topic)
  return [...ends.values()].reduce((sum, end) => sum + end, 0)
}

/** Every row of the events table. */
export async function readTable(db: Queries): Promise<readonly PlacedEvent[]> {
  const sql = `SELECT tenant_id, id::text AS id, type, task_id, agent, partition, "offset"::text AS "offset", data::text AS data
    FROM events`
  const result = await db.query(sql, [])
  return result.rows.map((row) => ({
    tenant: String(row['tenant_id']),
    id: eventIdOf(String(row['id'])),
    type: String(row['type']),
    taskId: String(row['task_id']),
    agent: String(row['agent']),
    partition: Number(row['partition']),
    offset: Number(row['offset']),
    data: String(row['data']),
  }))
}

async function endOffsets(kafka: Kafka, topic: string): Promise<ReadonlyMap<number, number>> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    const offsets = await admin.fetchTopicOffsets(topic)
    return new Map(offsets.map(({ partition, high }) => [partition, Number(high)]))
  } finally {
    await admin.disconnect()
  }
}

function placedEvent(partition: number, message: KafkaMessage): PlacedEvent {
  const header = (name: string) => String(message.headers?.[name] ?? '')
  return {
    tenant: header('ce_tenant'),
    id: header('ce_id'),
    type: header('ce_type'),
    taskId: header('ce_taskid'),
    agent: header('ce_agent'),
    partition,
    offset: Number(message.offset),
    data: String(message.value),
  }
}

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

/** The public form of a uuid: `evt_` and 26 characters of Crockford's base 32. */
function eventIdOf(uuid: string): string {
  const value = BigInt(`0x${uuid.replaceAll('-', '')}`)
  const digits = Array.from({ length: 26 }, (_, index) => ALPHABET[Number((value >> BigInt(5 * (25 - index))) & 31n)])
  return `evt_${digits.join('')}`
}
