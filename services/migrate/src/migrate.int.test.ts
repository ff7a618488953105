import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { checkTopics, createKafka, describeLog } from '@ariftly/kafka'
import { createLogger, readConfig } from '@ariftly/runtime'
import type { Pool } from '@ariftly/store'
import { currentEpoch, openEpoch } from '@ariftly/store/projection'
import { DEFAULT_RETENTION, readRetention } from '@ariftly/store/retention'
import {
  createTestDatabase,
  findFreePort,
  stackAddresses,
  startServiceProcess,
  type TestDatabase,
} from '@ariftly/testkit'
import { migrate, migrateConfig } from './service.ts'

const deps = { log: createLogger({ service: 'test', level: 'silent' }), signal: new AbortController().signal }
const bootstrapKey = 'bootstrap_key_of_a_test_0123456789'

let database: TestDatabase
let admin: Pool
let env: Record<string, string>

beforeEach(async () => {
  database = await createTestDatabase()
  admin = database.openPool({ owner: true })
  const topic = `migrate-${Math.random().toString(36).slice(2)}`
  env = {
    KAFKA_BROKERS: stackAddresses().kafka,
    KAFKA_TOPIC: topic,
    KAFKA_DLQ_TOPIC: `${topic}.dlq`,
    KAFKA_PARTITIONS: '2',
    DATABASE_URL: database.adminUrl,
    ARIFTLY_BOOTSTRAP_KEY: bootstrapKey,
  }
})
afterEach(async () => {
  const kafka = createKafka({ brokers: [stackAddresses().kafka], clientId: 'test', log: deps.log })
  await kafka.withAdmin(async (client) => {
    const mine = (await client.listTopics()).filter((topic) => topic.startsWith(env['KAFKA_TOPIC'] ?? ''))
    await client.deleteTopics({ topics: mine })
  })
  await kafka.close()
  await database.drop()
})

const run = () => migrate(readConfig(migrateConfig, env), deps)

async function keys(): Promise<readonly unknown[]> {
  const { rows } = await admin.query('SELECT tenant_id, name, revoked_at FROM api_keys')
  return rows
}

describe('migrate', () => {
  test('makes topics, the first epoch and the bootstrap key, once, however many run at the same time', async () => {
    await Promise.all([run(), run(), run()])
    await run()
    const kafka = createKafka({ brokers: [stackAddresses().kafka], clientId: 'test', log: deps.log })
    const { clusterId, topicId, partitions } = await describeLog(kafka, env['KAFKA_TOPIC'] ?? '')
    const dead = await describeLog(kafka, env['KAFKA_DLQ_TOPIC'] ?? '')
    await kafka.close()
    expect([partitions.length, dead.partitions.length]).toEqual([2, 1])
    expect(await currentEpoch(admin, env['KAFKA_TOPIC'] ?? '')).toMatchObject({ epoch: 1, clusterId, topicId })
    expect(await keys()).toEqual([{ tenant_id: 'default', name: 'bootstrap', revoked_at: null }])
  })

  test('does not open an installation that still takes the published key', async () => {
    await run()
    const published = { ...env, ARIFTLY_BOOTSTRAP_KEY: 'development-only-key-000001' }
    await migrate(readConfig(migrateConfig, published), deps)
    const open = () => migrate(readConfig(migrateConfig, { ...env, LISTEN_HOST: '0.0.0.0' }), deps)
    await expect(open()).rejects.toMatchObject({ code: 'published_key' })
    await run()
    await admin.query(
      `UPDATE api_keys SET revoked_at = now() WHERE hash = sha256('development-only-key-000001'::bytea)`,
    )
    await open()
  })

  test('writes the retention for the services, and gives it to the topics that it makes', async () => {
    Object.assign(env, { EVENTS_RETENTION_DAYS: '120', LOG_RETENTION_DAYS: '3', DELIVERIES_RETENTION_DAYS: '40' })
    await run()
    const dayMs = 86_400_000
    const kept = { eventsMs: 120 * dayMs, logMs: 3 * dayMs, deliveriesMs: 40 * dayMs }
    expect(await readRetention(admin)).toEqual(kept)
    const kafka = createKafka({ brokers: [stackAddresses().kafka], clientId: 'test', log: deps.log })
    const topics = {
      topic: env['KAFKA_TOPIC'] ?? '',
      dlqTopic: env['KAFKA_DLQ_TOPIC'] ?? '',
      partitions: 2,
      replication: 1,
    }
    expect(await checkTopics(kafka, { ...topics, retentionMs: kept.logMs })).toEqual([])
    const longer = await checkTopics(kafka, { ...topics, retentionMs: 4 * dayMs })
    await kafka.close()
    expect(longer.map(({ setting, found }) => [setting, found])).toEqual([
      ['retention.ms', '259200000'],
      ['retention.ms', '259200000'],
    ])
    // Without the settings it is unchanged.
    for (const name of ['EVENTS_RETENTION_DAYS', 'LOG_RETENTION_DAYS', 'DELIVERIES_RETENTION_DAYS'])
      Reflect.deleteProperty(env, name)
    await run()
    expect(await readRetention(admin)).toEqual(DEFAULT_RETENTION)
  })

  test('refuses a database that belongs to another log, and opens no epoch', async () => {
    const topic = env['KAFKA_TOPIC'] ?? ''
    await openEpoch(admin, { topic, clusterId: 'another-cluster', topicId: 'a-topic' })
    await expect(run()).rejects.toMatchObject({ code: 'log_identity_changed' })
    expect(await currentEpoch(admin, topic)).toMatchObject({ epoch: 1, clusterId: 'another-cluster' })
  })

  test('refuses a topic that was deleted and made again', async () => {
    await run()
    await admin.query(`UPDATE log_epochs SET topic_id = 'another'`)
    await expect(run()).rejects.toMatchObject({ code: 'log_identity_changed' })
  })

  test('refuses a topic with another number of partitions', async () => {
    await run()
    env['KAFKA_PARTITIONS'] = '3'
    await expect(run()).rejects.toMatchObject({ code: 'partition_count_changed' })
  })

  test('waits for an unavailable backend, and names it when its patience ends', async () => {
    env['DATABASE_URL'] = `postgres://nobody@127.0.0.1:${await findFreePort()}/none`
    const config = readConfig(migrateConfig, env)
    await expect(migrate(config, { ...deps, patienceMs: 300 })).rejects.toMatchObject({
      code: 'backend_away',
      message: expect.stringContaining('Postgres cannot be reached'),
    })
  })
})

test('a database of a draft of the schema is named with the remedy, and the process ends with 78', async () => {
  await admin.query(`UPDATE schema_digest SET digest = 'of another draft'`)
  const process = await startServiceProcess('migrate', { ...env }, { untilReady: false })
  expect(await process.exited).toBe(78)
  expect(process.output()).toContain('draft of the schema')
  await admin.query('DROP TABLE schema_digest')
  await expect(run()).rejects.toMatchObject({ code: 'schema_of_a_draft' })
})

test('the process lists all wrong settings and ends with 78', async () => {
  const retention = { LOG_RETENTION_DAYS: '91', DELIVERIES_RETENTION_DAYS: '100' }
  const wrong = { KAFKA_PARTITIONS: 'many', DATABASE_URL: 'mysql://x', ARIFTLY_BOOTSTRAP_KEY: 'short', ...retention }
  const process = await startServiceProcess('migrate', wrong, { untilReady: false })
  expect(await process.exited).toBe(78)
  for (const name of ['KAFKA_BROKERS', ...Object.keys(wrong)]) expect(process.output()).toContain(`- ${name} `)
  expect(process.output()).not.toContain('short')
})
