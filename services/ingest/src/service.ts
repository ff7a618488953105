import { startAuthenticator, type SharedAuthenticator } from '@ariftly/auth'
import { createRouter, createWholePosts } from '@ariftly/http'
import { createKafka, createProducer } from '@ariftly/kafka'
import {
  kafkaConnection,
  withReleasers,
  type Fault,
  type Readiness,
  type Releasers,
  type Running,
  type ServiceDeps,
} from '@ariftly/runtime'
import { createBreaker } from './breaker.ts'
import type { IngestConfig } from './config.ts'
import { createEventLog } from './event-log.ts'
import { startTopicCheck } from './kafka-check.ts'
import { createMemoryBudget } from './memory-budget.ts'
import { createIngestMetrics } from './metrics.ts'
import { BODY_BYTES_MAX, createPostEvents, createPostWholeEvents } from './post-events.ts'
import { createQuotas } from './quota.ts'
import { createBodyReader } from './request-body.ts'
import { createTakeEvents } from './take-events.ts'
import { traceSends } from './trace-sends.ts'

export { ingestConfig } from './config.ts'
export type { IngestConfig } from './config.ts'

const PROBE_TIMEOUT_MS = 1000
/** How long the start waits for Kafka's first answer, so that a wrong topic stops it; it goes on without. */
const FIRST_CHECK_MS = 3000

/**
 * Starts ingest: `POST /v1/events` to Kafka. Backends that are away are waited for in the background; until Kafka has answered, events get 503. If the
 * topic has another number of partitions than configured (Fault `partition_count_changed`), the start throws or, later, the service fails.
 */
export async function start(config: IngestConfig, deps: ServiceDeps & SharedAuthenticator): Promise<Running> {
  return await withReleasers(deps.log, async (releasers) => await compose(config, deps, releasers))
}

async function compose(
  config: IngestConfig,
  deps: ServiceDeps & SharedAuthenticator,
  releasers: Releasers,
): Promise<Running> {
  const { log, metrics, tracing } = deps
  const ending = new AbortController()
  const signal = AbortSignal.any([deps.signal, ending.signal])
  releasers.add('background work', () => ending.abort())
  const authenticator = startAuthenticator(config, { ...deps, name: 'ingest', releasers })
  const kafka = createKafka({ ...kafkaConnection(config), clientId: 'ariftly-ingest', log })
  releasers.add('kafka client', () => kafka.close())
  const producer = createProducer(kafka, { topic: config.KAFKA_TOPIC, compression: config.INGEST_COMPRESSION })
  releasers.add('producer', () => producer.close())

  let fault: Fault | undefined
  let fail: (reason: Error) => void
  const failed = new Promise<Error>((resolve) => {
    fail = resolve
  })
  const topic = startTopicCheck({
    kafka,
    topic: config.KAFKA_TOPIC,
    partitions: config.KAFKA_PARTITIONS,
    signal,
    log,
    onBroken(found) {
      fault = found
      fail(found)
      log.fatal({ err: found }, 'the topic is not the one that is configured: no event is written any more')
    },
  })
  const budget = createMemoryBudget(config.INGEST_BUFFER_BYTES_MAX)
  const measures = createIngestMetrics(metrics, { bufferedBytes: () => budget.usedBytes, breaker: () => breaker.state })
  const breaker = createBreaker({
    probe: async () => topic.state === 'ok' && (await producer.probe(PROBE_TIMEOUT_MS)),
    onOpen: () => eventLog.failWaiting(),
    onChange: (state) => log[state === 'open' ? 'warn' : 'info']({ state }, 'the breaker of the log changed'),
  })
  releasers.add('breaker', () => breaker.close())
  const eventLog = createEventLog({
    producer: traceSends(producer, tracing, config.KAFKA_TOPIC),
    breaker,
    partitions: config.KAFKA_PARTITIONS,
    lanes: config.INGEST_LANES,
    timeoutMs: config.INGEST_PRODUCE_TIMEOUT_MS,
    lingerMs: config.INGEST_LINGER_MS,
    onSend: measures.sent,
  })
  releasers.add('events under way', () => eventLog.idle())
  const bodies = createBodyReader({ bytesMax: BODY_BYTES_MAX, timeoutMs: config.INGEST_BODY_TIMEOUT_MS })
  releasers.add('body clock', () => bodies.close())
  const quotas = createQuotas({ shares: config.QUOTA_SHARES })
  const take = createTakeEvents({ quotas, log: eventLog, count: measures.counted })
  const postEvents = createPostEvents({ authenticator, quotas, budget, bodies, take })
  const postWholeEvents = createPostWholeEvents({ authenticator, quotas, budget, take })

  const reached = topic.first.then(() => breaker.ask())
  await Promise.race([reached, wait(FIRST_CHECK_MS)])
  if (fault !== undefined) throw fault

  function ready(): Readiness {
    const kafkaState =
      topic.state === 'broken'
        ? 'wrong number of partitions'
        : breaker.started
          ? KAFKA_STATES[breaker.state]
          : (topic.problem ?? 'starting')
    const checks = { kafka: kafkaState, api_keys: authenticator.state }
    return { ready: topic.state === 'ok' && breaker.started && authenticator.ready, checks }
  }

  return {
    name: 'ingest',
    router: createRouter({ handlers: { postEvents }, log, metrics, tracing, corsOrigins: config.CORS_ORIGINS }),
    wholePosts: createWholePosts({ route: 'postEvents', handler: postWholeEvents, log, metrics, tracing }),
    ready,
    failed,
    close: () => releasers.close(),
  }
}

const KAFKA_STATES = { closed: 'ok', halfOpen: 'being tried again', open: 'unavailable' } as const

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
}
