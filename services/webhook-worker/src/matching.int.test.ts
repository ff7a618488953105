import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { createKafka, describeLog } from '@ariftly/kafka'
import { createLogger, readConfig } from '@ariftly/runtime'
import { createPool, type Pool } from '@ariftly/store'
import { currentEpoch, openEpoch, readPositions } from '@ariftly/store/projection'
import { createWorld, eventually, type World } from '@ariftly/testkit'
import { startMatching, type Matching } from './matching.ts'
import { webhookWorkerConfig } from './config.ts'

const log = createLogger({ service: 'test', level: 'silent' })

let world: World
let pool: Pool
let abort: AbortController

beforeEach(async () => {
  world = await createWorld({ partitions: 3 })
  pool = createPool({ role: null, url: world.database.adminUrl, applicationName: 'matching-test', max: 3 })
  abort = new AbortController()
})

afterEach(async () => {
  abort.abort()
  await pool?.end()
  await world?.close()
})

function start(env: NodeJS.ProcessEnv = {}): Matching {
  const config = readConfig(webhookWorkerConfig, { ...world.env, ...env })
  return startMatching({ config, pool, onMatched() {}, signal: abort.signal, log })
}

test('a matcher that stopped at another log goes on with the epoch that is opened for it, from its start', async () => {
  await pool.query(`UPDATE log_epochs SET cluster_id = 'the-old-cluster'`)
  const matching = start()
  await eventually(() => /another Kafka cluster/.test(matching.state()), { timeoutMs: 20_000 })
  const { topic } = world.topics
  const key = { projection: 'webhooks', topic }
  // Where this log begins is no position of the other one.
  expect((await readPositions(pool, { ...key, epoch: 1 })).size).toBe(0)

  const kafka = createKafka({ brokers: [world.env['KAFKA_BROKERS'] ?? ''], clientId: 'test', log })
  const { clusterId } = await describeLog(kafka, topic)
  await kafka.close()
  await openEpoch(pool, { topic, clusterId })
  await eventually(() => matching.state() === 'ok', { timeoutMs: 20_000 })
  expect([...(await readPositions(pool, { ...key, epoch: 2 })).values()].map((at) => at.nextOffset)).toEqual([0, 0, 0])
  abort.abort()
  await matching.close()
})

test('a matcher that reads goes over to a newer epoch', async () => {
  const matching = start()
  await eventually(() => matching.state() === 'ok', { timeoutMs: 20_000 })
  const { topic } = world.topics
  const former = await currentEpoch(pool, topic)
  await openEpoch(pool, { topic, clusterId: former?.clusterId ?? '' })
  await eventually(async () => {
    const positions = await readPositions(pool, { projection: 'webhooks', topic, epoch: (former?.epoch ?? 0) + 1 })
    return positions.size === 3 && matching.state() === 'ok'
  })
  abort.abort()
  await matching.close()
})

test('a matcher whose topic has another number of partitions says that it cannot go on', async () => {
  const matching = start({ KAFKA_PARTITIONS: '4' })
  expect(await matching.broken).toMatchObject({ code: 'partition_count_changed' })
  abort.abort()
  await matching.close()
})
