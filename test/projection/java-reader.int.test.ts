import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeRecord, EVENT_TYPES, isSessionType, newEventId, partitionOf } from '@ariftly/events'
import { catalogue } from '@ariftly/events/catalogue'
import { createKafka, createProducer, type ProducerRecord } from '@ariftly/kafka'
import { createLogger } from '@ariftly/runtime'
import { eventually, sampleEvent, testFolder } from '@ariftly/testkit'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { rawDataObjects } from '../support/raw-data.ts'
import { startStandalone, type Standalone } from '../support/standalone.ts'
import { runJavaReader, type ReadByJava } from './run-java-reader.ts'

const PARTITIONS = 12

let system: Standalone

beforeAll(async () => {
  system = await startStandalone()
})
afterAll(async () => {
  await system?.close()
})

interface Listed {
  readonly data: readonly ReadByJava[]
}

/** The published document with the two things that every installation has for itself: where its Kafka is, and the topic's name. */
function documentOfThisInstallation(): string {
  const published = JSON.parse(readFileSync('schemas/asyncapi.json', 'utf8')) as {
    servers: { kafka: { host: string } }
    channels: { events: { address: string } }
  }
  published.servers.kafka.host = system.env['KAFKA_BROKERS'] ?? ''
  published.channels.events.address = system.env['KAFKA_TOPIC'] ?? ''
  const file = join(testFolder('asyncapi'), 'asyncapi.json')
  writeFileSync(file, JSON.stringify(published))
  return file
}

/** One event of each type, some with and some without an agent, and what a parser could spoil. */
function bodyOfAllTypes(): string {
  const events = EVENT_TYPES.map((type, index) => ({
    type,
    ...(isSessionType(type) ? { session_id: 'session_1' } : { task_id: `task_${index % 3}` }),
    ...(index % 2 === 0 ? { agent: 'crew/analyzer' } : {}),
    data: catalogue[type].example,
  }))
  const odd = '{"type":"task.created","task_id":"t","data":{"n":1.0,"big":9223372036854775807,"text":"Grüße, 世界 🚀"}}'
  return `[${events.map((event) => JSON.stringify(event)).join(',')},${odd}]`
}

/** Other records that the log may hold: an event with an unlisted header, and records that are no events. */
function foreignRecords(): readonly ProducerRecord[] {
  const { key, value, headers } = encodeRecord(
    sampleEvent({
      tenant: 'default',
      taskId: 'task_1',
      data: Buffer.from('{"task_id":"task_1","message":"of another producer"}'),
    }),
  )
  const partition = partitionOf(key, PARTITIONS)
  return [
    { key, value, headers: { ...headers, 'x-added-later': 'yes' }, partition },
    { key, value: null, headers, partition },
    { key, value, headers: { ...headers, ce_type: 'task.deleted' }, partition },
    { key: Buffer.from('no-slash'), value, headers, partition },
  ]
}

async function append(records: readonly ProducerRecord[]): Promise<void> {
  const log = createLogger({ service: 'test', level: 'silent' })
  const client = createKafka({ brokers: (system.env['KAFKA_BROKERS'] ?? '').split(','), clientId: 'test', log })
  const producer = createProducer(client, { topic: system.env['KAFKA_TOPIC'] ?? '' })
  expect((await producer.send(records)).ok).toBe(true)
  await producer.close()
  await client.close()
}

/** As the document asks of readers: of the same tenant and id the lowest offset wins. */
function withoutReposts(lines: readonly ReadByJava[]): readonly ReadByJava[] {
  const seen = new Set<string>()
  return lines.filter(({ tenant, id, skipped }) => {
    const name = `${tenant} ${id}`
    if (skipped !== undefined || seen.has(name)) return false
    seen.add(name)
    return true
  })
}

test('a Java program that knows only the AsyncAPI document reads from the log what the API lists', async () => {
  await system.post('/v1/events', bodyOfAllTypes(), 202)
  const twice = `{"type":"task.created","task_id":"t","id":"${newEventId(Date.now())}","data":{"title":"posted twice"}}`
  await system.post('/v1/events', twice, 202)
  await system.post('/v1/events', twice, 202)
  await append(foreignRecords())
  const wanted = EVENT_TYPES.length + 3
  const list = async () => await (await system.request('/v1/events?limit=500&order=asc')).text()
  await eventually('the wanted events', async () => (JSON.parse(await list()) as Listed).data.length === wanted)

  const lines = await runJavaReader(documentOfThisInstallation(), 'readEvents')
  expect(lines).toHaveLength(wanted + 1 + 3)
  expect(lines.filter(({ skipped }) => skipped !== undefined)).toHaveLength(3)
  const read = withoutReposts(lines)
  expect(new Set(read.map(({ tenant }) => tenant))).toEqual(new Set(['default']))
  const answer = await list()
  const data = rawDataObjects(answer)
  const listed = (JSON.parse(answer) as Listed).data.map((event, index) => shown({ ...event, data: data[index] ?? '' }))
  expect(read.map(shown).toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual(listed)
})

type Shown = Pick<ReadByJava, 'id' | 'type' | 'created_at' | 'task_id' | 'session_id' | 'agent' | 'data'>

function shown({ id, type, created_at, task_id, session_id, agent, data }: Shown): Shown {
  return { id, type, created_at, task_id, session_id, agent, data }
}
