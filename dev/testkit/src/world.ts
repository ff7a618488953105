import { createHash, randomBytes } from 'node:crypto'
import { newTypeId, type LogEvent } from '@ariftly/events'
import { createKafka, createProducer, describeLog, type EventProducer, type KafkaClient } from '@ariftly/kafka'
import { generateEncryptionKey } from '@ariftly/keyring'
import type { StackAddresses } from '@ariftly/local-stack'
import { createPool, type Pool } from '@ariftly/store'
import { insertApiKey } from '@ariftly/store/api-keys'
import { openEpoch } from '@ariftly/store/projection'
import { stackAddresses } from './addresses.ts'
import { createTestDatabase, type TestDatabase } from './database.ts'
import { eventually } from './eventually.ts'
import { recordsOf } from './records-of.ts'
import {
  startServiceProcess,
  type ServiceProcess,
  type ServiceProcessName,
  type ServiceProcessOptions,
} from './service-process.ts'
import { silentLog } from './silent-log.ts'
import { createTestTopics, withClient, type TestTopics } from './topics.ts'

/** All that services need, for one test alone: a migrated database, topics, an open log epoch, keys; and what tests add to it. */
export interface World {
  /** The environment of the services; PORT is left to the caller. */
  readonly env: Readonly<Record<string, string>>
  readonly topics: TestTopics
  /** Partitions of the topic of events. */
  readonly partitions: number
  readonly database: TestDatabase
  /** A pool of the owner, to query tables. */
  readonly admin: Pool
  /** Stores a new API key and gives it. Scopes: `events:write`, `events:read` and `webhooks` if not said. */
  apiKey(tenant: string, scopes?: readonly string[]): Promise<string>
  /** A Kafka client, made when it is first asked for. */
  kafka(): KafkaClient
  /** A producer for the topic of events, made when it is first asked for. */
  producer(): EventProducer
  /** Writes events to the log, as any producer may. Resolves when it has them; throws if it did not take one. */
  append(events: readonly LogEvent[]): Promise<void>
  /** Starts a service as a process of its own, with the world's environment and `env`. */
  startService(
    name: ServiceProcessName,
    env?: Readonly<Record<string, string>>,
    options?: ServiceProcessOptions,
  ): Promise<ServiceProcess>
  /** How many events the projection holds, of a task if one is named. */
  rowsOf(taskId?: string): Promise<number>
  /** Waits until the projection holds so many events. */
  projected(events: number): Promise<void>
  /** Kills the services that it started, and removes all. */
  close(): Promise<void>
}

/** How to make a world. */
export interface WorldOptions {
  /** Default 12. */
  readonly partitions?: number
  /** Replicas of each partition; default 1. */
  readonly replication?: number
  /** A stack of the test's own (`startOwnStack`); the shared one if not given. */
  readonly addresses?: StackAddresses
  /** Added to the environment, or put in its place. */
  readonly env?: Readonly<Record<string, string>>
}

/** Makes a world on the shared stack. Two worlds share only the servers; `close` removes its database and topics. */
export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const { addresses = stackAddresses(), partitions = 12 } = options
  const { kafka, postgres } = addresses
  const [database, topics] = await Promise.all([
    createTestDatabase(postgres),
    createTestTopics({ partitions, brokers: kafka, replication: options.replication ?? 1 }),
  ])
  const admin = createPool({ role: null, url: database.adminUrl, applicationName: 'ariftly-testkit', max: 2 })
  const identity = await withClient(kafka, (client) => describeLog(client, topics.topic))
  await openEpoch(admin, { topic: topics.topic, ...identity })
  const env = { ...environmentOf(addresses, topics, database), KAFKA_PARTITIONS: String(partitions), ...options.env }
  const log = createLogAccess(kafka, topics.topic, partitions)
  const services: ServiceProcess[] = []

  async function rowsOf(taskId?: string): Promise<number> {
    const text = 'SELECT count(*)::int AS n FROM events WHERE $1::text IS NULL OR task_id = $1'
    const { rows } = await admin.query<{ n: number }>(text, [taskId ?? null])
    return rows[0]?.n ?? 0
  }

  return {
    env,
    topics,
    partitions,
    database,
    admin,
    apiKey: (tenant, scopes) => storeApiKey(admin, tenant, scopes ?? ['events:write', 'events:read', 'webhooks']),
    kafka: log.client,
    producer: log.producer,
    append: log.append,
    rowsOf,
    projected: async (events) => void (await eventually(`${events} rows`, async () => (await rowsOf()) >= events)),
    async startService(service, more, o = {}) {
      const started = await startServiceProcess(service, { ...env, ...more }, o)
      services.push(started)
      return started
    },
    async close() {
      for (const service of services) service.kill()
      await Promise.all(services.map(({ exited }) => exited))
      await log.close()
      await admin.end()
      await Promise.all([database.drop(), topics.delete()])
    },
  }
}

function environmentOf(addresses: StackAddresses, topics: TestTopics, database: TestDatabase): Record<string, string> {
  const name = `test-${randomBytes(6).toString('hex')}`
  return {
    KAFKA_BROKERS: addresses.kafka,
    KAFKA_TOPIC: topics.topic,
    KAFKA_DLQ_TOPIC: topics.dlqTopic,
    KAFKA_GROUP_PREFIX: name,
    DATABASE_URL: database.url,
    DATABASE_ADMIN_URL: database.adminUrl,
    REDIS_URL: addresses.redis,
    BULLMQ_PREFIX: name,
    ENCRYPTION_KEYS: generateEncryptionKey('test'),
    HOST: '127.0.0.1',
    LOG_LEVEL: 'warn',
    WEBHOOK_ALLOW_HTTP: 'true',
    // Tests write faster than people; tests of the rate limit set their own.
    ADMIN_WRITES_PER_S: '100000',
  }
}

/** A client and a producer of a topic, each made when it is first asked for. */
function createLogAccess(brokers: string, topic: string, partitions: number) {
  let madeClient: KafkaClient | undefined
  let madeProducer: EventProducer | undefined

  function client(): KafkaClient {
    madeClient ??= createKafka({ brokers: brokers.split(','), clientId: 'ariftly-testkit', log: silentLog })
    return madeClient
  }

  function producer(): EventProducer {
    madeProducer ??= createProducer(client(), { topic })
    return madeProducer
  }

  async function append(events: readonly LogEvent[]): Promise<void> {
    const outcome = await producer().send(recordsOf(events, partitions))
    if (!outcome.ok) throw new Error(`the log did not take all events: ${JSON.stringify([...outcome.partitions])}`)
  }

  async function close(): Promise<void> {
    await madeProducer?.close()
    await madeClient?.close()
  }

  return { client, producer, append, close }
}

async function storeApiKey(admin: Pool, tenant: string, scopes: readonly string[]): Promise<string> {
  const key = `test_${randomBytes(24).toString('base64url')}`
  const nowMs = Date.now()
  await insertApiKey(admin, {
    id: newTypeId('key', nowMs),
    tenant,
    name: 'test',
    scopes,
    hash: createHash('sha256').update(key).digest(),
    quota: { eventsPerS: null, bytesPerS: null },
    expiresAtMs: null,
    createdAtMs: nowMs,
  })
  return key
}
