import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { encodeRecord } from '@ariftly/events'
import { createWorld, eventually, type ServiceProcess, type World } from '@ariftly/testkit'
import { numberedEvents, range, storedNumbers } from './event-writer.ts'
import { runKafkaTool } from './run-kafka-tool.ts'

const EVENTS = 500

let world: World
let projector: ServiceProcess

beforeAll(async () => {
  world = await createWorld()
  projector = await world.startService('projector')
})

afterAll(() => world?.close())

/** Sends lines `headers TAB key TAB value` with Kafka's own console producer, on Java's client and partitioner. */
async function produceWithJava(lines: readonly string[], compression: string): Promise<void> {
  const args = ['--bootstrap-server', world.env['KAFKA_BROKERS'] ?? '', '--topic', world.topics.topic]
  args.push('--compression-codec', compression, '--command-property', 'linger.ms=50')
  args.push('--reader-property', 'parse.key=true', '--reader-property', 'parse.headers=true')
  await runKafkaTool('ConsoleProducer', args, `${lines.join('\n')}\n`)
}

test('events that a Java producer sends compressed with zstd are projected like any others', async () => {
  const lines = numberedEvents(0, EVENTS).map((event) => {
    const { key, value, headers } = encodeRecord(event)
    const pairs = Object.entries(headers).map(([name, text]) => `${name}:${text}`)
    return [pairs.join(','), key, value.toString()].join('\t')
  })
  await produceWithJava(lines, 'zstd')
  await eventually('all events are projected', async () => (await storedNumbers(world)).length === EVENTS)
  expect(await storedNumbers(world)).toEqual(range(0, EVENTS))
  expect(projector.output()).not.toContain('a batch failed')
})
