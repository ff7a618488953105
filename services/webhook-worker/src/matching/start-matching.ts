import { createKafka, describeLog, startLogReader, type LogReader } from '@ariftly/kafka'
import { ensureStart, followEpochs } from '@ariftly/log-epochs'
import { kafkaConnection, type Backend, type Logger, type Metrics, type Tracing } from '@ariftly/runtime'
import { runLongJobs, type Pool } from '@ariftly/store'
import { readPositions, recordGap, type LogEpoch } from '@ariftly/store/projection'
import type { WebhookWorkerConfig } from '../config.ts'
import { matchBacklogJobs } from './match-backlogs.ts'
import { createMatcher, WEBHOOKS_PROJECTION } from './matcher.ts'
import { createProjectionWatch } from './projection-watch.ts'
import { SubscriptionCache } from './subscription-cache.ts'
import { TenantPairs } from './tenant-pairs.ts'

/** Dependencies of the matching side of the worker. */
export interface MatchingOptions {
  readonly config: WebhookWorkerConfig
  readonly pool: Pool
  readonly kafka: Backend
  /** Whether matching has used up its time in this tick of the event loop. */
  readonly isTickOver: () => boolean
  readonly onMatched: (webhookIds: ReadonlySet<string>, deliveries: number) => void
  readonly log: Logger
  readonly metrics: Metrics
  readonly tracing?: Tracing | undefined
}

/** The matching side: Kafka to deliveries. */
export interface Matching {
  /** `ok`, `starting`, or why the log is not read now. */
  readonly state: () => string
  /** The present reader of the log; undefined while there is none. */
  readonly reader: () => LogReader | undefined
  /** Asks Kafka which offset the next record of a partition will get. */
  readonly logEnd: (partition: number) => Promise<number>
  readonly close: () => Promise<void>
}

/** Fewer records after a failure: a part that Postgres cannot write within its timeout is tried again as two halves. */
const BATCH = { recordsMax: 5_000, targetMs: 2_000 } as const

/**
 * Starts it in the background: Kafka and Postgres are waited for. A new matcher begins at the log's start. While the log is
 * not the expected one nothing is read; it continues when the log fits again or a new epoch was opened.
 */
export function startMatching(o: MatchingOptions): Matching {
  const { config, pool, log } = o
  const topic = config.KAFKA_TOPIC
  const watch = { backend: o.kafka, topic }
  const client = createKafka({ ...kafkaConnection(config), clientId: 'ariftly-webhook-worker', log, watch })
  const subscriptions = new SubscriptionCache(pool)
  const tenantPairs = new TenantPairs()
  const { isTickOver, onMatched } = o
  const backlogs = runLongJobs(matchBacklogJobs({ pool, topic, subscriptions, tenantPairs, isTickOver, onMatched }), {
    log,
    failing: 'a backlog could not be matched',
  })
  const follower = followEpochs({
    kafka: client,
    pool,
    topic,
    partitions: config.KAFKA_PARTITIONS,
    log,
    metrics: o.metrics,
    metricPrefix: 'ariftly_webhook_matcher',
    async start(epoch) {
      const partitions = config.KAFKA_PARTITIONS
      await ensureStart({ kafka: client, pool, projection: WEBHOOKS_PROJECTION, topic, partitions, epoch })
      return startReader(epoch)
    },
  })

  function startReader(epoch: LogEpoch): LogReader {
    const key = { projection: WEBHOOKS_PROJECTION, epoch: epoch.epoch, topic }
    const group = `${config.KAFKA_GROUP_PREFIX}-webhook-matcher`
    return startLogReader({
      client,
      topic,
      groupId: group,
      partitionCount: config.KAFKA_PARTITIONS,
      identity: epoch,
      sessionTimeoutMs: config.KAFKA_SESSION_TIMEOUT_MS,
      batch: BATCH,
      positions: (wanted) => readPositions(pool, { ...key, partitions: wanted }),
      handle: createMatcher({
        pool,
        epoch: epoch.epoch,
        topic,
        projection: createProjectionWatch({ db: pool, epoch: epoch.epoch, topic, log }),
        subscriptions,
        tenantPairs,
        isTickOver,
        onDeferred: backlogs.wake,
        onMatched,
        group,
        tracing: o.tracing,
      }),
      onGap: (gap) => recordGap(pool, { ...key, partition: gap.partition, from: gap.expected, to: gap.found }),
      log,
    })
  }

  function state(): string {
    return follower.trouble ?? (follower.session?.state === 'running' ? 'ok' : 'starting')
  }

  async function logEnd(partition: number): Promise<number> {
    const { partitions } = await describeLog(client, topic, [partition])
    return partitions[0]?.logEnd ?? 0
  }

  async function close(): Promise<void> {
    await Promise.all([follower.close(), backlogs.close()])
    await client.close()
  }

  return { state, reader: () => follower.session, logEnd, close }
}
