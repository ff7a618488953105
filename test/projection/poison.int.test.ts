import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { scanLog } from '@ariftly/kafka'
import { byForm, createWorld, eventually, startServiceProcess, type ServiceProcess, type World } from '@ariftly/testkit'
import { createEventWriter, numberedEvents, range, type EventWriter } from './event-writer.ts'

const EVENTS = byForm({ short: 20_000, long: 100_000 })
const POISON = Math.floor(EVENTS * 0.6)

let world: World
let writer: EventWriter
let projector: ServiceProcess

beforeAll(async () => {
  world = await createWorld()
  writer = createEventWriter(world, 12)
})

afterAll(async () => {
  projector?.kill('SIGTERM')
  await projector?.exited
  await writer?.close()
  await world?.close()
})

async function deadLetters(): Promise<readonly { readonly reason: string; readonly value: string }[]> {
  const found: { reason: string; value: string }[] = []
  for await (const records of scanLog(writer.client, {
    topic: world.topics.dlqTopic,
    partition: 0,
    from: 0,
    to: 1e9,
  })) {
    for (const { headers, value } of records) {
      found.push({ reason: String(headers['dlq_reason']), value: value?.toString() ?? '' })
    }
  }
  return found
}

test('one record that Postgres refuses, among thousands, is the only one that is not stored, and one dead letter', async () => {
  await world.admin.query(
    `ALTER TABLE events ADD CONSTRAINT no_poison CHECK (data->>'message' IS DISTINCT FROM '${POISON}')`,
  )
  await writer.write(numberedEvents(0, EVENTS))
  projector = await startServiceProcess('projector', world.env)
  await eventually(async () => (await writer.numbers()).length >= EVENTS - 1, { everyMs: 250 })
  await eventually(async () => (await deadLetters()).length === 1)
  expect(await writer.numbers()).toEqual(range(0, EVENTS).filter((n) => n !== POISON))
  expect(await deadLetters()).toEqual([{ reason: 'not_storable', value: expect.stringContaining(`"n":${POISON},`) }])
}, 150_000)
