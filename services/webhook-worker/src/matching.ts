import { createKafka, describeLog, startLogReader, type KafkaClient, type LogReader } from '@ariftly/kafka'
import { Fault, retryForever, type Logger } from '@ariftly/runtime'
import { currentEpoch, ensurePositions, readPositions, recordHole, type Pool } from '@ariftly/store'
import type { WebhookWorkerConfig } from './config.ts'
import { createMatcher, WEBHOOKS_PROJECTION } from './matcher.ts'
import { createProjectionWatch } from './projection-watch.ts'

/** What the matching side of the worker needs. */
export interface MatchingOptions {
  readonly config: WebhookWorkerConfig
  readonly pool: Pool
  readonly onMatched: (webhookIds: ReadonlySet<string>, deliveries: number) => void
  readonly signal: AbortSignal
  readonly log: Logger
}

/** The matching side: Kafka to deliveries. */
export interface Matching {
  /** `ok`, `starting`, or why it has stopped for good. */
  readonly state: () => string
  /** Records not yet matched, over the partitions of this process. */
  readonly lag: () => number
  readonly close: () => Promise<void>
}

/** Starts it in the background: Kafka and Postgres are waited for. A new matcher begins at the log's start. */
export function startMatching(o: MatchingOptions): Matching {
  const { config, pool, log } = o
  const client = createKafka({ brokers: config.KAFKA_BROKERS, clientId: 'ariftly-webhook-worker', log })
  let reader: LogReader | undefined
  const starting = retryForever(async () => startReader(client), {
    signal: o.signal,
    maxMs: 1000,
    onError: (error, attempt) => {
      if (attempt % 10 === 0) log.warn({ err: error }, 'matching cannot start yet')
    },
  })

  async function startReader(kafka: KafkaClient): Promise<void> {
    const topic = config.KAFKA_TOPIC
    const epoch = await currentEpoch(pool, topic)
    if (epoch === undefined)
      throw new Fault({ code: 'not_migrated', message: `No epoch of the log ${topic}: run migrate.` })
    const key = { projection: WEBHOOKS_PROJECTION, epoch: epoch.epoch, topic }
    const { partitions } = await describeLog(kafka, topic)
    await ensurePositions(pool, {
      ...key,
      starts: new Map(partitions.map(({ partition, logStart }) => [partition, logStart])),
    })
    if (o.signal.aborted) return
    reader = startLogReader({
      client: kafka,
      topic,
      groupId: `${config.KAFKA_GROUP_PREFIX}-webhook-matcher`,
      partitionCount: config.KAFKA_PARTITIONS,
      clusterId: epoch.clusterId,
      sessionTimeoutMs: config.KAFKA_SESSION_TIMEOUT_MS,
      positions: (wanted) => readPositions(pool, { ...key, partitions: wanted }),
      handle: createMatcher({
        pool,
        epoch: epoch.epoch,
        topic,
        projection: createProjectionWatch({ db: pool, epoch: epoch.epoch, topic, log }),
        onMatched: o.onMatched,
      }),
      hole: (gap) => recordHole(pool, { ...key, partition: gap.partition, from: gap.expected, to: gap.found }),
      log,
    })
  }

  function state(): string {
    if (reader?.failure !== undefined) return reader.failure.message
    return reader?.state === 'running' ? 'ok' : 'starting'
  }

  function lag(): number {
    let total = 0
    for (const { next, highWatermark } of reader?.lag().values() ?? []) total += Math.max(0, highWatermark - next)
    return total
  }

  async function close(): Promise<void> {
    await starting
    await reader?.close()
    await client.close()
  }

  return { state, lag, close }
}
