import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { describeLog } from '@ariftly/kafka'
import { createBackends, createMetrics, readConfig } from '@ariftly/runtime'
import { createPool, type Pool } from '@ariftly/store'
import { currentEpoch, openEpoch, readPositions } from '@ariftly/store/projection'
import { createWorld, eventually, silentLog, type World } from '@ariftly/testkit'
import { startMatching, type Matching } from './start-matching.ts'
import { webhookWorkerConfig } from '../config.ts'

let world: World
let pool: Pool
let matching: Matching

beforeEach(async () => {
  world = await createWorld({ partitions: 3 })
  pool = createPool({ role: null, url: world.database.adminUrl, applicationName: 'matching-test', max: 3 })
})

afterEach(async () => {
  await matching?.close()
  await pool?.end()
  await world?.close()
})

function start(env: NodeJS.ProcessEnv = {}): Matching {
  const config = readConfig(webhookWorkerConfig, { ...world.env, ...env })
  const metrics = createMetrics()
  return startMatching({
    config,
    pool,
    isTickOver: () => false,
    onMatched() {},
    log: silentLog,
    metrics,
    kafka: createBackends({ metrics, log: silentLog }).kafka,
  })
}

test('a matcher that stopped at another log continues with the epoch that is opened for it, from its start', async () => {
  await pool.query(`UPDATE log_epochs SET cluster_id = 'the-old-cluster'`)
  matching = start()
  await eventually('matching names the other cluster', () => /is on Kafka cluster/.test(matching.state()))
  const { topic } = world.topics
  const key = { projection: 'webhooks', topic }
  // Where this log begins is no position of the other one.
  expect((await readPositions(pool, { ...key, epoch: 1 })).size).toBe(0)

  const { clusterId, topicId } = await describeLog(world.kafka(), topic)
  await openEpoch(pool, { topic, clusterId, topicId })
  await eventually('matching is ok', () => matching.state() === 'ok')
  expect([...(await readPositions(pool, { ...key, epoch: 2 })).values()].map((at) => at.nextOffset)).toEqual([0, 0, 0])
})

test('a matcher that reads goes over to a newer epoch', async () => {
  matching = start()
  await eventually('matching is ok', () => matching.state() === 'ok')
  const { topic } = world.topics
  const previous = await currentEpoch(pool, topic)
  await openEpoch(pool, { topic, clusterId: previous?.clusterId ?? '', topicId: previous?.topicId ?? '' })
  await eventually('all partitions of the new epoch are matched', async () => {
    const positions = await readPositions(pool, { projection: 'webhooks', topic, epoch: (previous?.epoch ?? 0) + 1 })
    return positions.size === 3 && matching.state() === 'ok'
  })
})

test('a matcher that finds another log continues without a restart when the log of its epoch is back', async () => {
  const { topic } = world.topics
  const previous = await currentEpoch(pool, topic)
  await pool.query(`UPDATE log_epochs SET cluster_id = 'the-old-cluster'`)
  matching = start()
  await eventually('matching names the other cluster', () => /is on Kafka cluster/.test(matching.state()))
  await pool.query('UPDATE log_epochs SET cluster_id = $1', [previous?.clusterId])
  await eventually('matching is ok', () => matching.state() === 'ok')
})

test('a matcher whose topic has another number of partitions says so, and reads nothing', async () => {
  matching = start({ KAFKA_PARTITIONS: '4' })
  await eventually('the wrong partition count', () => /has 3 partitions, 4 are configured/.test(matching.state()))
  expect(matching.reader()).toBeUndefined()
})
