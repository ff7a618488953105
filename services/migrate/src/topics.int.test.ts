import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { createKafka } from '@ariftly/kafka'
import { createLogger, readConfig } from '@ariftly/runtime'
import { createPool } from '@ariftly/store'
import { createTestDatabase, stackAddresses, startServiceProcess, type TestDatabase } from '@ariftly/testkit'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { ConfigResourceTypes } from 'kafkajs'
import { checkConfig, migrate, migrateConfig } from './service.ts'
import { checkBackends } from './check/check-backends.ts'

const log = createLogger({ service: 'test', level: 'silent' })

type Admin = Parameters<Parameters<ReturnType<typeof createKafka>['withAdmin']>[0]>[0]

let database: TestDatabase
let env: Record<string, string>

beforeEach(async () => {
  database = await createTestDatabase()
  const topic = `topics-${randomUUID()}`
  env = {
    KAFKA_BROKERS: stackAddresses().kafka,
    KAFKA_TOPIC: topic,
    KAFKA_DLQ_TOPIC: `${topic}.dlq`,
    KAFKA_PARTITIONS: '2',
    DATABASE_URL: database.adminUrl,
    REDIS_URL: stackAddresses().redis,
  }
})
afterEach(async () => {
  await withAdmin(async (admin) => {
    const mine = (await admin.listTopics()).filter((topic) => topic.startsWith(env['KAFKA_TOPIC'] ?? ''))
    await admin.deleteTopics({ topics: mine })
  })
  await database.drop()
})

async function withAdmin<T>(use: (admin: Admin) => Promise<T>): Promise<T> {
  const kafka = createKafka({ brokers: [stackAddresses().kafka], clientId: 'test', log })
  try {
    return await kafka.withAdmin(use)
  } finally {
    await kafka.close()
  }
}

const createTopic = (settings: Readonly<Record<string, string>>) =>
  withAdmin((admin) =>
    admin.createTopics({
      topics: [
        {
          topic: env['KAFKA_TOPIC'] ?? '',
          numPartitions: 2,
          configEntries: Object.entries(settings).map(([name, value]) => ({ name, value })),
        },
      ],
    }),
  )

/** The topics of this test, each with its number of partitions and its settings. */
const topicsWithSettings = () =>
  withAdmin(async (admin) => {
    const names = (await admin.listTopics()).filter((topic) => topic.startsWith(env['KAFKA_TOPIC'] ?? ''))
    const { topics } = await admin.fetchTopicMetadata({ topics: names })
    const { resources } = await admin.describeConfigs({
      resources: names.map((name) => ({ type: ConfigResourceTypes.TOPIC, name })),
      includeSynonyms: false,
    })
    return {
      partitions: new Map(topics.map(({ name, partitions }) => [name, partitions.length])),
      settings: new Map(resources.map(({ resourceName, configEntries }) => [resourceName, configEntries])),
    }
  })

const run = () =>
  migrate(readConfig(migrateConfig, env), { log, signal: new AbortController().signal, patienceMs: 10_000 })
const findings = () => checkBackends(readConfig(checkConfig, env), log)

describe('a topic that exists', () => {
  test('is refused when its settings lose events, with every setting and its remedy named', async () => {
    await createTopic({ 'cleanup.policy': 'compact', 'compression.type': 'snappy' })
    const error = await run().catch((thrown: Error) => thrown)
    expect(error).toMatchObject({ code: 'topic_settings' })
    const { message } = error as Error
    expect(message).toContain('cleanup.policy is compact, it must be delete')
    expect(message).toContain('message.timestamp.type is CreateTime, it must be LogAppendTime')
    expect(message).toContain('compression.type is snappy')
    expect(message).toContain('--add-config cleanup.policy=delete')
  })

  test('ends the process with 78', async () => {
    await createTopic({ 'cleanup.policy': 'compact' })
    const process = await startServiceProcess('migrate', env, { untilReady: false })
    expect(await process.exited).toBe(78)
  })

  test('is used with a warning when only its limits differ', async () => {
    await createTopic({
      'message.timestamp.type': 'LogAppendTime',
      'compression.type': 'producer',
      'retention.ms': '3600000',
      'max.message.bytes': '900000',
    })
    await run()
    const warnings = (await findings()).filter(({ backend }) => backend === 'kafka')
    expect(warnings.map(({ severity }) => severity)).toEqual(['warning', 'warning', 'warning'])
    expect(warnings.map(({ message }) => message.split(': ')[1])).toEqual([
      'retention.ms is 3600000, expected 604800000.',
      'compression.type is producer, expected uncompressed.',
      'max.message.bytes is 900000, expected 1048588.',
    ])
  })
})

test('KAFKA_TOPICS=verify creates no topic, and says which are missing', async () => {
  env['KAFKA_TOPICS'] = 'verify'
  await expect(run()).rejects.toMatchObject({
    code: 'topic_settings',
    message: expect.stringContaining(`${env['KAFKA_TOPIC']}: topic is missing`),
  })
  const topics = await withAdmin((admin) => admin.listTopics())
  expect(topics.filter((topic) => topic.startsWith(env['KAFKA_TOPIC'] ?? ''))).toEqual([])
})

describe('migrate --check', () => {
  test('finds nothing wrong after migrate, and changes nothing', async () => {
    await run()
    const before = await topicsWithSettings()
    expect((await findings()).filter(({ severity }) => severity === 'error')).toEqual([])
    const topic = env['KAFKA_TOPIC'] ?? ''
    expect([...before.settings.keys()].toSorted()).toEqual([topic, `${topic}.dlq`])
    expect(await topicsWithSettings()).toEqual(before)
  })

  test('names each backend that does not answer, without passwords', async () => {
    env['KAFKA_BROKERS'] = '127.0.0.1:1'
    env['DATABASE_URL'] = 'postgres://someone:hidden-word@127.0.0.1:1/none'
    env['REDIS_URL'] = 'redis://:hidden-word@127.0.0.1:1'
    const found = await findings()
    expect(found.map(({ backend, severity }) => [backend, severity])).toEqual([
      ['kafka', 'error'],
      ['postgres', 'error'],
      ['redis', 'error'],
    ])
    for (const { message, remedy } of found) expect(message + remedy).not.toContain('hidden-word')
  })

  test('ends the process with 1 for an error, with 78 for a setting and with 64 for another argument', async () => {
    const away = { ...env, KAFKA_BROKERS: '127.0.0.1:1' }
    expect(await command(away, '--check')).toEqual({
      code: 1,
      stdout: expect.stringContaining('error  kafka  No answer'),
    })
    expect(await command({ ...env, REDIS_URL: '' }, '--check')).toEqual({ code: 78, stdout: '' })
    expect(await command(env, '--chek')).toEqual({ code: 64, stdout: '' })
  })

  test('finds a role that neither exists nor can be created, and a service URL that may not use it', async () => {
    const found = await findings()
    // The topics are missing; Postgres fits, since the owner of a test database may do everything.
    expect(found.filter(({ backend }) => backend === 'postgres')).toEqual([])
    await run()
    const name = `plain_${process.pid}`
    const admin = createPool({ url: database.adminUrl, applicationName: 'test', max: 1, role: null })
    await admin.query(`CREATE ROLE ${name} LOGIN`)
    try {
      const url = new URL(database.adminUrl)
      url.username = name
      url.password = ''
      env['DATABASE_ADMIN_URL'] = database.adminUrl
      env['DATABASE_URL'] = url.href
      expect((await findings()).filter(({ backend }) => backend === 'postgres')).toEqual([
        expect.objectContaining({ severity: 'error', message: expect.stringContaining('ariftly_app') }),
      ])
    } finally {
      await admin.query(`DROP ROLE ${name}`)
      await admin.end()
    }
  })
})

/** Runs `migrate` as an operator does, as a process. */
function command(own: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const node = ['--conditions=source', '--import', 'tsx', join(import.meta.dirname, 'main.ts'), ...args]
  return new Promise<{ readonly code: number; readonly stdout: string }>((resolve) => {
    execFile(process.execPath, node, { env: { PATH: process.env['PATH'], ...own } }, (error, stdout) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout })
    })
  })
}
