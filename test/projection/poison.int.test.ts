import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { scanLog } from '@ariftly/kafka'
import { byForm, createWorld, eventually, type World } from '@ariftly/testkit'
import { numberedEvents, range, storedNumbers, writeEvents } from './event-writer.ts'

const EVENTS = byForm({ short: 20_000, long: 100_000 })
const POISON = Math.floor(EVENTS * 0.6)

let world: World

beforeAll(async () => {
  world = await createWorld()
})

afterAll(() => world?.close())

async function deadLetters(): Promise<readonly { readonly reason: string; readonly value: string }[]> {
  const found: { reason: string; value: string }[] = []
  for await (const records of scanLog(world.kafka(), {
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
  await writeEvents(world, numberedEvents(0, EVENTS))
  await world.startService('projector')
  await eventually('all other events are projected', async () => (await storedNumbers(world)).length >= EVENTS - 1)
  await eventually('one dead letter', async () => (await deadLetters()).length === 1)
  expect(await storedNumbers(world)).toEqual(range(0, EVENTS).filter((n) => n !== POISON))
  expect(await deadLetters()).toEqual([{ reason: 'not_storable', value: expect.stringContaining(`"n":${POISON},`) }])
}, 150_000)
