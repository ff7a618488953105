import { createKafka, describeLog, startLogReader, type LogReader } from '@ariftly/kafka'
import {
  Fault,
  hasFaultCode,
  kafkaConnection,
  messageOf,
  retryForever,
  sleep,
  type Logger,
  type Tracing,
} from '@ariftly/runtime'
import { type Pool } from '@ariftly/store'
import { currentEpoch, ensurePositions, readPositions, recordHole, type LogEpoch } from '@ariftly/store/projection'
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
  readonly tracing?: Tracing | undefined
}

/** The matching side: Kafka to deliveries. */
export interface Matching {
  /** `ok`, `starting`, or why it has stopped for good. */
  readonly state: () => string
  /** The present reader of the log; undefined while there is none. */
  readonly reader: () => LogReader | undefined
  /** Resolves when it cannot go on, whatever an operator does but configure it anew. */
  readonly broken: Promise<Error>
  readonly close: () => Promise<void>
}

/** How often it is looked whether an operator has opened another epoch. */
const NEXT_EPOCH_POLL_MS = 2000
/** Fewer records after a failure: a part that Postgres cannot write within its timeout comes again as two halves. */
const BATCH = { recordsMax: 5_000, targetMs: 2_000 } as const

/**
 * Starts it in the background: Kafka and Postgres are waited for. A new matcher begins at the log's start. It goes over to
 * an epoch that an operator opens; until then it stops reading when the log is not the one that it should be. When the topic has another
 * number of partitions than configured it is `broken`.
 */
export function startMatching(o: MatchingOptions): Matching {
  const { config, pool, log, signal } = o
  const topic = config.KAFKA_TOPIC
  const client = createKafka({ ...kafkaConnection(config), clientId: 'ariftly-webhook-worker', log })
  let reader: LogReader | undefined
  let trouble: string | undefined
  let tellBroken: (reason: Error) => void
  const broken = new Promise<Error>((resolve) => {
    tellBroken = resolve
  })
  const ended = followEpochs()

  async function followEpochs(): Promise<void> {
    for (let after = 0; !signal.aborted;) {
      const epoch = await retryForever(() => openEpochAbove(after), {
        signal,
        maxMs: 1000,
        onError: (error, attempt) => {
          const reason = messageOf(error)
          if (attempt % 10 === 0 || reason !== trouble) log.warn({ err: error }, 'matching cannot start yet')
          trouble = reason
        },
      })
      trouble = undefined
      if (signal.aborted) return
      if (epoch === undefined) await sleep(NEXT_EPOCH_POLL_MS, signal)
      else {
        const current = startReader(epoch)
        reader = current
        const stopped = new AbortController()
        void closeWhenOld(current, epoch, AbortSignal.any([signal, stopped.signal]))
        await current.stopped
        stopped.abort()
        const { failure } = current
        if (hasFaultCode(failure, 'partition_count_changed')) return tellBroken(failure)
        after = epoch.epoch
      }
    }
  }

  /** Closes the reader of an epoch when there is a newer one. Nobody waits for it: Postgres may be away. */
  async function closeWhenOld(current: LogReader, { epoch }: LogEpoch, until: AbortSignal): Promise<void> {
    while (!until.aborted) {
      await sleep(NEXT_EPOCH_POLL_MS, until)
      const newest = until.aborted ? undefined : await currentEpoch(pool, topic).catch(() => undefined)
      if (newest !== undefined && newest.epoch > epoch) return current.close()
    }
  }

  /** The newest epoch, whose partitions then all have a position; undefined while there is none above `after`. */
  async function openEpochAbove(after: number): Promise<LogEpoch | undefined> {
    const epoch = await currentEpoch(pool, topic)
    if (epoch === undefined)
      throw new Fault({ code: 'not_migrated', message: `No epoch of the log ${topic}: run migrate.` })
    if (epoch.epoch <= after) return undefined
    const described = await describeLog(client, topic)
    // Where another log begins means nothing for this epoch; that it is another one is the reader's to tell.
    if (described.clusterId === epoch.clusterId && described.partitions.length === config.KAFKA_PARTITIONS) {
      const starts = new Map(described.partitions.map(({ partition, logStart }) => [partition, logStart]))
      await ensurePositions(pool, { projection: WEBHOOKS_PROJECTION, epoch: epoch.epoch, topic, starts })
    }
    return epoch
  }

  function startReader(epoch: LogEpoch): LogReader {
    const key = { projection: WEBHOOKS_PROJECTION, epoch: epoch.epoch, topic }
    const group = `${config.KAFKA_GROUP_PREFIX}-webhook-matcher`
    return startLogReader({
      client,
      topic,
      groupId: group,
      partitionCount: config.KAFKA_PARTITIONS,
      clusterId: epoch.clusterId,
      sessionTimeoutMs: config.KAFKA_SESSION_TIMEOUT_MS,
      batch: BATCH,
      positions: (wanted) => readPositions(pool, { ...key, partitions: wanted }),
      handle: createMatcher({
        pool,
        epoch: epoch.epoch,
        topic,
        projection: createProjectionWatch({ db: pool, epoch: epoch.epoch, topic, log }),
        onMatched: o.onMatched,
        group,
        tracing: o.tracing,
      }),
      hole: (gap) => recordHole(pool, { ...key, partition: gap.partition, from: gap.expected, to: gap.found }),
      log,
    })
  }

  function state(): string {
    if (reader?.failure !== undefined) return reader.failure.message
    return reader?.state === 'running' ? 'ok' : (trouble ?? 'starting')
  }

  async function close(): Promise<void> {
    await reader?.close()
    await ended
    await client.close()
  }

  return { state, reader: () => reader, broken, close }
}
