import { startAuthenticator, type SharedAuthenticator } from '@ariftly/auth'
import { createRouter, type HttpService } from '@ariftly/http'
import { createFastPath } from '@ariftly/http-fast-path'
import { createKafka, createProducer } from '@ariftly/kafka'
import {
  databaseConnection,
  kafkaConnection,
  withReleasers,
  type Readiness,
  type Releasers,
  type ServiceDeps,
} from '@ariftly/runtime'
import { createPool, SERVICE_ROLE } from '@ariftly/store'
import { watchRetention } from '@ariftly/store/retention'
import { Breaker } from './breaker.ts'
import { createClockSkew, watchClocks } from './clock-skew.ts'
import type { IngestConfig } from './config.ts'
import { createEventLog } from './event-log.ts'
import { createLogGate } from './log-gate.ts'
import { createMemoryBudget } from './memory-budget.ts'
import { createIngestMetrics } from './metrics.ts'
import { BODY_BYTES_MAX, createFastPostEvents, createPostEvents } from './post-events.ts'
import { createPostPipeline } from './post-pipeline.ts'
import { createQuotas } from './quota.ts'
import { countQuotaShares } from './quota-shares.ts'
import { createBodyReader } from './request-body.ts'
import { createTakeEvents } from './take-events.ts'
import { traceSends } from './trace-sends.ts'

export { ingestConfig } from './config.ts'
export type { IngestConfig } from './config.ts'

const PROBE_TIMEOUT_MS = 1000
/** How long the start waits for Kafka's first answer; it goes on without. */
const FIRST_ANSWER_MS = 3000

/**
 * Starts ingest: `POST /v1/events` to Kafka. Backends that are away are waited for in the background; until Kafka has
 * answered, and while the topic is not the one of the current epoch, events get 503.
 */
export async function start(config: IngestConfig, deps: ServiceDeps & SharedAuthenticator): Promise<HttpService> {
  return await withReleasers(deps.log, async (releasers) => await compose(config, deps, releasers))
}

async function compose(
  config: IngestConfig,
  deps: ServiceDeps & SharedAuthenticator,
  releasers: Releasers,
): Promise<HttpService> {
  const { log, metrics, tracing } = deps
  const authenticator = startAuthenticator(config, { ...deps, name: 'ingest', releasers })
  const kafka = createKafka({ ...kafkaConnection(config), clientId: 'ariftly-ingest', log })
  releasers.add('kafka client', () => kafka.close())
  const pool = createPool({
    ...databaseConnection(config),
    applicationName: 'ariftly-ingest-log',
    role: SERVICE_ROLE,
    max: 1,
  })
  releasers.add('pool of the log gate', () => pool.end())
  const topic = config.KAFKA_TOPIC
  const gate = createLogGate({ kafka, pool, topic, partitions: config.KAFKA_PARTITIONS, log, metrics })
  releasers.add('log gate', () => gate.close())
  const clusterId = (): string | undefined => gate.clusterId
  const producer = createProducer(kafka, { topic, compression: config.INGEST_COMPRESSION, clusterId })
  releasers.add('producer', () => producer.close())

  const budget = createMemoryBudget(config.INGEST_BUFFER_BYTES_MAX)
  const skew = createClockSkew()
  const measures = createIngestMetrics(metrics, {
    bufferedBytes: () => budget.usedBytes,
    openPartitions: () => breaker.openPartitions,
    clockSkew: () => skew.all(),
  })
  const breaker = new Breaker({
    partitions: config.KAFKA_PARTITIONS,
    probe: () => producer.probe(PROBE_TIMEOUT_MS),
    isWritable: () => gate.isOpen,
    hasLeader: (partition) => producer.leaderOf(partition) >= 0,
    onOpen: (partition) => eventLog.failWaiting(partition),
    onChange: (partition, state) =>
      log[state === 'open' ? 'warn' : 'debug']({ partition, state }, 'the breaker of a partition changed'),
  })
  releasers.add('breaker', () => breaker.close())
  const eventLog = createEventLog({
    producer: traceSends(watchClocks(producer, skew), tracing, topic),
    breaker,
    isTrusted: (partition) => skew.admit(producer.leaderOf(partition)),
    partitions: config.KAFKA_PARTITIONS,
    lanes: config.INGEST_LANES,
    timeoutMs: config.INGEST_PRODUCE_TIMEOUT_MS,
    lingerMs: config.INGEST_LINGER_MS,
    onSend: measures.sent,
  })
  releasers.add('events under way', () => eventLog.idle())
  const bodies = createBodyReader({ bytesMax: BODY_BYTES_MAX, timeoutMs: config.INGEST_BODY_TIMEOUT_MS })
  releasers.add('body clock', () => bodies.close())
  const quotas = createQuotas({ shares: startShares(config, deps, releasers) })
  const retention = watchRetention({ db: pool, log })
  releasers.add('retention', () => retention.close())
  const historyMs = (): number => retention.current().eventsMs
  const take = createTakeEvents({ quotas, log: eventLog, count: measures.counted, clock: skew, historyMs })
  const answerPost = createPostPipeline({ authenticator, quotas, budget, take })
  const handlers = { postEvents: createPostEvents(answerPost, { bodies, onPost: () => measures.posted('node_http') }) }
  const fastHandler = createFastPostEvents(answerPost, () => measures.posted('fast_path'))
  const corsOrigins = config.CORS_ORIGINS

  await Promise.race([firstAnswer(), wait(FIRST_ANSWER_MS)])

  async function firstAnswer(): Promise<void> {
    await gate.opened
    await breaker.ask()
  }

  function ready(): Readiness {
    const kafkaState = gate.trouble ?? stateOf(breaker, config.KAFKA_PARTITIONS)
    const clock = skew.isBeyond ? 'more than a minute off a broker' : 'ok'
    const checks = { kafka: kafkaState, clock, api_keys: authenticator.state }
    return { ready: gate.isOpen && breaker.started && authenticator.ready, checks }
  }

  return {
    name: 'ingest',
    router: createRouter({ handlers, log, metrics, tracing, corsOrigins }),
    connectionFront: config.INGEST_FAST_PATH
      ? createFastPath({ route: 'postEvents', handler: fastHandler, log, metrics, tracing, corsOrigins })
      : undefined,
    ready,
    close: () => releasers.close(),
  }
}

function stateOf({ started, openPartitions }: Breaker, partitions: number): string {
  if (!started) return 'starting'
  if (openPartitions === 0) return 'ok'
  return openPartitions === partitions ? 'unavailable' : `${openPartitions} of ${partitions} partitions unavailable`
}

/** How many processes share each quota: the setting, or as counted. */
function startShares(config: IngestConfig, { log }: ServiceDeps, releasers: Releasers): () => number {
  const { QUOTA_SHARES: fixed } = config
  if (fixed !== 'auto') return () => fixed
  const pool = createPool({
    ...databaseConnection(config),
    applicationName: 'ariftly-ingest shares',
    role: SERVICE_ROLE,
    max: 1,
    statementTimeoutMs: 2000,
    onError: (error) => log.warn({ err: error, pool: 'shares' }, 'a connection to Postgres was lost'),
  })
  releasers.add('pool of shares', () => pool.end())
  const shares = countQuotaShares({ pool, log })
  releasers.add('shares', () => shares.close())
  return () => shares.count()
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
}
