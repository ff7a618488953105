import { createHash, randomBytes } from 'node:crypto'
import { newTypeId } from '@ariftly/events'
import { describeLog } from '@ariftly/kafka'
import { generateEncryptionKey } from '@ariftly/keyring'
import type { StackAddresses } from '@ariftly/local-stack'
import { createPool, type Pool } from '@ariftly/store'
import { insertApiKey } from '@ariftly/store/api-keys'
import { openEpoch } from '@ariftly/store/projection'
import { stackAddresses } from './addresses.ts'
import { createTestDatabase, type TestDatabase } from './database.ts'
import { createTestTopics, withClient, type TestTopics } from './topics.ts'

/** All that services need, for one test alone: a migrated database, topics, an open log epoch, keys. */
export interface World {
  /** The environment of the services; PORT is left to the caller. */
  readonly env: Readonly<Record<string, string>>
  readonly topics: TestTopics
  readonly database: TestDatabase
  /** A pool of the owner, to query tables. */
  readonly admin: Pool
  /** Stores a new API key and gives it. Scopes: `events:write`, `events:read` and `webhooks` if not said. */
  apiKey(tenant: string, scopes?: readonly string[]): Promise<string>
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
  const { kafka, postgres, redis } = options.addresses ?? stackAddresses()
  const { partitions = 12 } = options
  const [database, topics] = await Promise.all([
    createTestDatabase(postgres),
    createTestTopics({ partitions, brokers: kafka, replication: options.replication ?? 1 }),
  ])
  const admin = createPool({ role: null, url: database.adminUrl, applicationName: 'ariftly-testkit', max: 2 })
  const identity = await withClient(kafka, (client) => describeLog(client, topics.topic))
  await openEpoch(admin, { topic: topics.topic, ...identity })
  const name = `test-${randomBytes(6).toString('hex')}`
  const env = {
    KAFKA_BROKERS: kafka,
    KAFKA_TOPIC: topics.topic,
    KAFKA_DLQ_TOPIC: topics.dlqTopic,
    KAFKA_PARTITIONS: String(partitions),
    KAFKA_GROUP_PREFIX: name,
    DATABASE_URL: database.url,
    DATABASE_ADMIN_URL: database.adminUrl,
    REDIS_URL: redis,
    BULLMQ_PREFIX: name,
    ENCRYPTION_KEYS: generateEncryptionKey('test'),
    HOST: '127.0.0.1',
    LOG_LEVEL: 'warn',
    WEBHOOK_ALLOW_HTTP: 'true',
    // Tests write faster than people; tests of the rate limit set their own.
    ADMIN_WRITES_PER_S: '100000',
    ...options.env,
  }
  return {
    env,
    topics,
    database,
    admin,
    apiKey: (tenant, scopes) => storeApiKey(admin, tenant, scopes ?? ['events:write', 'events:read', 'webhooks']),
    close: async () => {
      await admin.end()
      await Promise.all([database.drop(), topics.delete()])
    },
  }
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
