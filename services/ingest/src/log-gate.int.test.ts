import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { createKafka, type KafkaClient } from '@ariftly/kafka'
import { createLogger, createMetrics } from '@ariftly/runtime'
import { createWorld, eventually, stackAddresses, type World } from '@ariftly/testkit'
import { Kafka, logLevel } from 'kafkajs'
import { createLogGate, type LogGate } from './log-gate.ts'

const WAIT = { timeoutMs: 20_000 }
const log = createLogger({ service: 'test', level: 'silent' })
const brokers = [stackAddresses().kafka]

let world: World
let kafka: KafkaClient
let gate: LogGate
let metrics: ReturnType<typeof createMetrics>

beforeEach(async () => {
  world = await createWorld({ partitions: 3 })
  kafka = createKafka({ brokers, clientId: 'test', log })
  metrics = createMetrics()
})

afterEach(async () => {
  await gate?.close()
  await kafka?.close()
  await world?.close()
})

function openGate(): void {
  const { topic } = world.topics
  gate = createLogGate({ kafka, pool: world.admin, topic, partitions: 3, log, metrics })
}

async function setCluster(clusterId: string | undefined): Promise<void> {
  await world.admin.query('UPDATE log_epochs SET cluster_id = $1', [clusterId])
}

test('a topic that is given more partitions is not written to any more', async () => {
  openGate()
  await gate.opened
  await eventually(() => gate.isOpen && gate.trouble === undefined)
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  await admin.createPartitions({ topicPartitions: [{ topic: world.topics.topic, count: 4 }] })
  await admin.disconnect()
  await eventually(() => !gate.isOpen && /has 4 partitions, 3 are configured/.test(gate.trouble ?? ''), WAIT)
  expect(await metrics.render()).toContain('ariftly_ingest_log_fault{code="partition_count_changed"} 1')
}, 30_000)

test('the log of another cluster is not written to, until it is the right one again', async () => {
  const rows = await world.admin.query<{ cluster_id: string }>('SELECT cluster_id FROM log_epochs')
  await setCluster('another')
  openGate()
  await eventually(() => /is on Kafka cluster .*, not another/.test(gate.trouble ?? ''), WAIT)
  expect(gate.isOpen).toBe(false)
  expect(await metrics.render()).toContain('ariftly_ingest_log_fault{code="log_identity_changed"} 1')
  await setCluster(rows.rows[0]?.cluster_id)
  await eventually(() => gate.isOpen, WAIT)
  expect(gate.clusterId).toBe(rows.rows[0]?.cluster_id)
}, 30_000)
