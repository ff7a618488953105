import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { encodeRecord, type LogEvent } from '@ariftly/events'
import { createKafka, createProducer, type KafkaClient, type ProducerRecord } from '@ariftly/kafka'
import { createLogger } from '@ariftly/runtime'
import { sampleEvent, stackAddresses } from '@ariftly/testkit'
import { runKafkaTool } from './run-kafka-tool.ts'

const topic = `test-${randomBytes(6).toString('hex')}.java`
const BETWEEN_FIELDS = '<|>'
const BETWEEN_HEADERS = '<&>'
const BETWEEN_RECORDS = '<$>'
const NULL = '<null>'

let client: KafkaClient

beforeAll(async () => {
  const log = createLogger({ service: 'test', level: 'silent' })
  client = createKafka({ brokers: stackAddresses().kafka.split(','), clientId: 'test', log })
  // Kafka's defaults (the sender's timestamps and compression), unlike our own topics' settings, store a batch unchanged: the
  // consumer checks the checksum that we computed, and not the broker's.
  await client.withAdmin((admin) => admin.createTopics({ topics: [{ topic, numPartitions: 2, replicationFactor: 1 }] }))
})

afterAll(async () => {
  await client?.withAdmin((admin) => admin.deleteTopics({ topics: [topic] }))
  await client?.close()
})

function event(over: Partial<LogEvent>): Omit<ProducerRecord, 'partition'> {
  return encodeRecord(
    sampleEvent({ taskId: 'task_1', data: Buffer.from('{"task_id":"task_1","message":"Grüße, 世界 🚀"}'), ...over }),
  )
}

/** Two batches: events as the API writes them, and other records that the format allows. */
function batchesOfRecords(): readonly (readonly Omit<ProducerRecord, 'partition'>[])[] {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const long = 'x'.repeat(200)
  return [
    [
      event({ sessionId: 'session_1', agent: 'crew/researcher', traceparent }),
      event({}),
      event({ type: 'session.closed', taskId: null, sessionId: 's', data: Buffer.from('{"session_id":"s"}') }),
      event({ data: Buffer.from(`{"task_id":"task_1","message":"${long.repeat(1_000)}"}`) }),
    ],
    [
      { key: null, value: Buffer.from('no key, no headers'), headers: {} },
      { key: Buffer.from('schlüssel/🔑'), value: null, headers: { empty: '', nothing: null, last: Buffer.alloc(0) } },
      {
        key: Buffer.alloc(0),
        value: Buffer.alloc(0),
        headers: { größe: 'ü', 世界: '🚀', long, umlauts: 'ä'.repeat(200) },
      },
      {
        key: Buffer.from('k'),
        value: Buffer.from('v'),
        headers: { twice: ['1', Buffer.from('2')], absent: undefined },
      },
    ],
  ]
}

/** What the console consumer is to print for a record. */
function printed({ partition, key, value, headers }: ProducerRecord, offset: number): string {
  const pairs = Object.entries(headers).flatMap(([name, given]) => {
    if (given === undefined) return []
    const all = Array.isArray(given) ? given : [given]
    return all.map((one: string | Buffer | null) => `${name}:${one === null ? NULL : one.toString()}`)
  })
  const text = pairs.length === 0 ? 'NO_HEADERS' : pairs.join(BETWEEN_HEADERS)
  const fields = [
    `Partition:${partition}`,
    `Offset:${offset}`,
    text,
    key?.toString() ?? NULL,
    value?.toString() ?? NULL,
  ]
  return fields.join(BETWEEN_FIELDS)
}

/** The first `count` records of a partition, read with Kafka's own console consumer, on Java's client. */
async function readWithJava(partition: number, count: number): Promise<readonly string[]> {
  const args = ['--bootstrap-server', stackAddresses().kafka, '--topic', topic, '--partition', String(partition)]
  args.push('--offset', 'earliest', '--max-messages', String(count), '--timeout-ms', '10000')
  args.push('--command-property', 'check.crcs=true')
  for (const field of ['partition', 'offset', 'headers', 'key', 'value'])
    args.push('--formatter-property', `print.${field}=true`)
  args.push('--formatter-property', `key.separator=${BETWEEN_FIELDS}`)
  args.push('--formatter-property', `headers.separator=${BETWEEN_HEADERS}`)
  args.push('--formatter-property', `line.separator=${BETWEEN_RECORDS}`)
  args.push('--formatter-property', `null.literal=${NULL}`)
  return (await runKafkaTool('consumer.ConsoleConsumer', args)).split(BETWEEN_RECORDS).slice(0, -1)
}

test("Kafka's Java client reads what the producer wrote, unchanged and in order", async () => {
  const producer = createProducer(client, { topic })
  const batches = batchesOfRecords().map((batch) => batch.map((record) => ({ ...record, partition: 0 })))
  for (const batch of batches) expect((await producer.send(batch)).ok).toBe(true)
  await producer.close()
  const records = batches.flat()
  expect(await readWithJava(0, records.length)).toEqual(records.map(printed))
})
