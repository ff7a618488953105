import { createDeadLetterWriter, createKafka, startLogReader, type LogReader } from '@ariftly/kafka'
import { ensureStart, followEpochs } from '@ariftly/log-epochs'
import {
  createReleasers,
  databaseConnection,
  kafkaConnection,
  registerReaderMetrics,
  type Backend,
  type Releasers,
  type Running,
  type ServiceDeps,
} from '@ariftly/runtime'
import { createPool, SERVICE_ROLE, type Pool } from '@ariftly/store'
import { readPositions, type LogEpoch } from '@ariftly/store/projection'
import { CONNECTIONS } from './batch-writer.ts'
import type { ProjectorConfig } from './config.ts'
import { createProjection } from './create-projection.ts'
import { startExpiry } from './expiry.ts'
import { PROJECTION } from './projection.ts'
import { createProjectorMetrics } from './projector-metrics.ts'
import { startTenantDeletions } from './tenant-deletion/tenant-deletions.ts'

export { projectorConfig } from './config.ts'

/** For expiry, the reading of positions and the deletion of tenants, which do not wait for a batch. */
const OTHER_CONNECTIONS = 2
/** Well below the timeouts of a statement (10 s) and a transaction (15 s), of however slow a Postgres. */
const BATCH = { recordsMax: 5_000, targetMs: 1_000 } as const

/**
 * Starts the projector: it copies the log into the table of events, each event exactly once; position and rows are written
 * in one transaction. Returns at once; Kafka and Postgres are waited for inside. While the log is not the one of the
 * current epoch nothing is read and `/readyz` says so. It continues when the log fits again or a new epoch was opened.
 */
export async function start(
  config: ProjectorConfig,
  deps: ServiceDeps,
  now: () => number = Date.now,
): Promise<Running> {
  const { log, backends } = deps
  const topic = config.KAFKA_TOPIC
  const group = `${config.KAFKA_GROUP_PREFIX}-projector`
  const releasers = createReleasers(log)
  const watch = { backend: backends.kafka, topic }
  const kafka = createKafka({ ...kafkaConnection(config), clientId: 'ariftly-projector', log, watch })
  releasers.add('kafka', () => kafka.close())
  const { batches, pool } = openPools(config, { releasers, postgres: backends.postgres })
  const deadLetters = createDeadLetterWriter(kafka, { topic, dlqTopic: config.KAFKA_DLQ_TOPIC })
  releasers.add('dead letters', () => deadLetters.close())
  const metrics = createProjectorMetrics(deps.metrics)
  releasers.add('expiry', startExpiry({ pool, log, now }))
  releasers.add('tenant deletions', startTenantDeletions({ pool, log }))

  const follower = followEpochs({
    kafka,
    pool,
    topic,
    partitions: config.KAFKA_PARTITIONS,
    log,
    metrics: deps.metrics,
    metricPrefix: 'ariftly_projector',
    async start(epoch) {
      const where = { topic, partitions: config.KAFKA_PARTITIONS, epoch }
      await ensureStart({ kafka, pool, projection: PROJECTION, ...where })
      return startReader(epoch)
    },
  })
  releasers.add('log reader', () => follower.close())
  registerReaderMetrics(deps.metrics, 'ariftly_projector', () => follower.session)

  function startReader(identity: LogEpoch): LogReader {
    const { epoch } = identity
    const partitions = config.KAFKA_PARTITIONS
    const projection = { pool: batches, epoch, topic, group, partitions, deadLetters, metrics }
    const { projectBatch, noteGap } = createProjection(projection, deps)
    return startLogReader({
      client: kafka,
      topic,
      groupId: group,
      partitionCount: partitions,
      identity,
      sessionTimeoutMs: config.KAFKA_SESSION_TIMEOUT_MS,
      batch: BATCH,
      positions: (assigned) => readPositions(pool, { projection: PROJECTION, epoch, topic, partitions: assigned }),
      handle: projectBatch,
      onGap: noteGap,
      now,
      log,
    })
  }

  return {
    name: 'projector',
    ready() {
      const { session: reader, trouble } = follower
      const ready = reader?.state === 'running' && trouble === undefined
      const problem = trouble ?? reader?.state ?? 'starting'
      const checks = { log: ready ? 'ok' : problem, ...backends.statesOf('kafka', 'postgres') }
      return { ready, checks }
    },
    close: () => releasers.close(),
  }
}

/** The connections of batches, and the others. */
function openPools(
  config: ProjectorConfig,
  { releasers, postgres }: { readonly releasers: Releasers; readonly postgres: Backend },
): { readonly batches: Pool; readonly pool: Pool } {
  const { answered: onAnswer } = postgres
  const shared = { ...databaseConnection(config), applicationName: 'ariftly-projector', role: SERVICE_ROLE, onAnswer }
  // Its statements are the same few all the time and find their rows by key: each is planned once a connection.
  const batches = createPool({ ...shared, max: CONNECTIONS, settings: { plan_cache_mode: 'force_generic_plan' } })
  releasers.add('batches', () => batches.end())
  const pool = createPool({ ...shared, max: OTHER_CONNECTIONS })
  releasers.add('postgres', () => pool.end())
  const probe = () => pool.query('SELECT 1')
  releasers.add('watch of Postgres', postgres.watch(probe))
  return { batches, pool }
}
