import {
  checkTopics,
  createKafka,
  createTopics,
  describeLog,
  logFault,
  type KafkaClient,
  type KafkaConnection,
} from '@ariftly/kafka'
import { databaseConnection, Fault, kafkaConnection, type Logger } from '@ariftly/runtime'
import { createPool, migrate as migrateSchema, withTransaction, type Pool } from '@ariftly/store'
import { seedBootstrapKey } from '@ariftly/store/api-keys'
import { currentEpoch, lockLogEpochs, openEpoch } from '@ariftly/store/projection'
import { writeRetention } from '@ariftly/store/retention'
import type { MigrateConfig } from './config.ts'
import { refusePublishedKey } from './listen-host.ts'
import { waitFor, type MigrateDeps } from './wait-for.ts'

const DAY_MS = 86_400_000

export { checkConfig, migrateConfig } from './config.ts'

/**
 * Prepares Kafka and Postgres for the services: schema, roles and table partitions; the two topics; the first log epoch; the
 * retention; the bootstrap key. Idempotent, and may run at any time and several times concurrently.
 * @throws Fault `schema_of_a_draft` when another draft of the schema made the database; Fault
 * `log_identity_changed` when the database has another log for this topic (see `adopt-log`); Fault
 * `published_key` when the installation is to be open while the key of docker-compose.yml is valid; Fault
 * `backend_away` when one could not be reached; Fault `partition_count_changed` or `topic_settings` when a topic does not fit.
 */
export async function migrate(config: MigrateConfig, deps: MigrateDeps): Promise<void> {
  const database = { ...databaseConnection(config), url: config.DATABASE_ADMIN_URL ?? config.DATABASE_URL }
  const migrateDatabase = () => migrateSchema(database.url, { ...database, log: (message) => deps.log.debug(message) })
  const pool = createPool({ role: null, ...database, applicationName: 'ariftly-migrate', max: 1 })
  try {
    await Promise.all([
      waitFor('Postgres', migrateDatabase, deps),
      waitFor('Kafka', () => withKafka(config, deps.log, (kafka) => prepareKafka(kafka, config, deps.log)), deps),
    ])
    // A topic that another `migrate` has just made takes a moment until it can be asked about.
    const epoch = () => withKafka(config, deps.log, (kafka) => ensureEpoch(kafka, pool, config.KAFKA_TOPIC))
    await waitFor('Kafka', epoch, deps)
    await refusePublishedKey(pool, config.LISTEN_HOST)
    await keepRetention(pool, config, deps.log)
    if (config.ARIFTLY_BOOTSTRAP_KEY !== undefined) await seedBootstrapKey(pool, config.ARIFTLY_BOOTSTRAP_KEY)
  } finally {
    await pool.end()
  }
}

/** Services use the new retention within an hour, for deletions and for refusals of old events. */
async function keepRetention(pool: Pool, config: MigrateConfig, log: Logger): Promise<void> {
  const events = config.EVENTS_RETENTION_DAYS
  const days = { events, log: config.LOG_RETENTION_DAYS, deliveries: config.DELIVERIES_RETENTION_DAYS }
  if (await writeRetention(pool, days)) log.info(days, 'the retention was changed')
}

async function prepareKafka(kafka: KafkaClient, config: MigrateConfig, log: Logger): Promise<void> {
  if (config.KAFKA_TOPICS === 'create') await createTopics(kafka, topicsOf(config))
  await verifyTopics(kafka, config, log)
  // A new broker creates its topic of group offsets at the first request for a group; without this the services would fail on it.
  await kafka.withAdmin((admin) => admin.describeGroups(['ariftly-migrate']))
}

/** Topics may have been created or changed by other tools: settings that lose events stop the migration, others are logged. */
async function verifyTopics(kafka: KafkaClient, config: MigrateConfig, log: Logger): Promise<void> {
  const findings = await checkTopics(kafka, topicsOf(config))
  for (const finding of findings)
    if (finding.severity === 'warning') log.warn({ ...finding }, 'a topic setting differs')
  const errors = findings.filter(({ severity }) => severity === 'error')
  if (errors.length === 0) return
  const lines = errors.map((e) => `- ${e.topic}: ${e.setting} is ${e.found}, it must be ${e.expected}. ${e.remedy}`)
  throw new Fault({ code: 'topic_settings', message: `The topics do not fit:\n${lines.join('\n')}` })
}

/** Opens the first epoch; every later one is opened by an operator, who knows why the log is another one. */
async function ensureEpoch(kafka: KafkaClient, pool: Pool, topic: string): Promise<void> {
  const found = await describeLog(kafka, topic, [])
  const { clusterId, topicId } = found
  await withTransaction(pool, async (tx) => {
    await lockLogEpochs(tx)
    const known = await currentEpoch(tx, topic)
    const fault = logFault({ topic, identity: known }, found)
    if (fault !== undefined) throw foreignLog(fault)
    if (known === undefined) await openEpoch(tx, { topic, clusterId, topicId })
  })
}

function foreignLog({ code, message }: Fault): Fault {
  return new Fault({
    code,
    message: `This database holds the projection of another log: check KAFKA_BROKERS and DATABASE_URL. ${message}`,
  })
}

async function withKafka<T>(config: MigrateConfig, log: Logger, use: (kafka: KafkaClient) => Promise<T>): Promise<T> {
  const kafka = createKafka({ ...kafkaConnection(config), clientId: 'ariftly-migrate', log: quiet(log) })
  try {
    return await use(kafka)
  } finally {
    await kafka.close()
  }
}

/** What a client of Kafka warns of (a topic that is there already, a coordinator that is not yet) is expected here; failures are thrown. */
function quiet(log: Logger): KafkaConnection['log'] {
  const debug = log.debug.bind(log)
  return { debug, info: debug, warn: debug, error: debug }
}

function topicsOf(config: MigrateConfig) {
  return {
    topic: config.KAFKA_TOPIC,
    dlqTopic: config.KAFKA_DLQ_TOPIC,
    partitions: config.KAFKA_PARTITIONS,
    replication: config.KAFKA_REPLICATION,
    retentionMs: config.LOG_RETENTION_DAYS * DAY_MS,
  }
}
