import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { createMetrics } from '@ariftly/runtime'
import { currentEpoch } from '@ariftly/store/projection'
import { createWorld, eventually, silentLog, type World } from '@ariftly/testkit'
import { createLogGate, type LogGate } from './log-gate.ts'

let world: World
let gate: LogGate
let metrics: ReturnType<typeof createMetrics>

beforeEach(async () => {
  world = await createWorld({ partitions: 3 })
  metrics = createMetrics()
})

afterEach(async () => {
  await gate?.close()
  await world?.close()
})

function openGate(): void {
  const { topic } = world.topics
  gate = createLogGate({ kafka: world.kafka(), pool: world.admin, topic, partitions: 3, log: silentLog, metrics })
}

test('a topic that is given more partitions is not written to any more', async () => {
  openGate()
  await gate.opened
  await eventually('the gate is open', () => gate.isOpen && gate.trouble === undefined)
  const topicPartitions = [{ topic: world.topics.topic, count: 4 }]
  await world.kafka().withAdmin((admin) => admin.createPartitions({ topicPartitions }))
  await eventually(
    'the gate is closed and says why',
    () => !gate.isOpen && /has 4 partitions, 3 are configured/.test(gate.trouble ?? ''),
  )
  expect(await metrics.render()).toContain('ariftly_ingest_log_fault{code="partition_count_changed"} 1')
})

test.each([
  ['cluster_id', /is on Kafka cluster .*, not another/],
  ['topic_id', /has the id .*, not another/],
])('the log of another %s is not written to, until it is the right one again', async (column, trouble) => {
  const right = await currentEpoch(world.admin, world.topics.topic)
  await world.admin.query(`UPDATE log_epochs SET ${column} = 'another'`)
  openGate()
  await eventually('the gate says why', () => trouble.test(gate.trouble ?? ''))
  expect(gate.isOpen).toBe(false)
  expect(await metrics.render()).toContain('ariftly_ingest_log_fault{code="log_identity_changed"} 1')
  await world.admin.query('UPDATE log_epochs SET cluster_id = $1, topic_id = $2', [right?.clusterId, right?.topicId])
  await eventually('the gate is open again', () => gate.isOpen)
  expect(gate.identity).toEqual(right)
})
