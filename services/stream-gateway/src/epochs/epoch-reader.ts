import type { TenantTurns } from '@ariftly/fairness'
import { describeAvailable, kafkaFault, type KafkaClient, type LogReader } from '@ariftly/kafka'
import { createReleasers, type Logger, type Tracing } from '@ariftly/runtime'
import type { Pool } from '@ariftly/store'
import { readPositions, type LogEpoch } from '@ariftly/store/projection'
import { findEarlierDuplicates } from '../history/find-earlier-duplicates.ts'
import { isLongHistory } from '../history/is-long-history.ts'
import { newestEventTimes } from '../history/newest-event-times.ts'
import { readHistoryPage } from '../history/read-history-page.ts'
import type { StreamGatewayConfig } from '../config.ts'
import type { StreamIds } from '@ariftly/http'
import type { StreamFilter } from '../hub/filter.ts'
import type { HubOptions } from '../hub/hub-options.ts'
import { Hub } from '../hub/hub.ts'
import type { UnsentBudget } from '../hub/unsent-budget.ts'
import { dominates, originOf, type OffsetVector } from '../log/offset-vector.ts'
import { startProjectionPoll, type ProjectionPoll } from '../log/projection-poll.ts'
import { beyondEnd, knownEnd, readerStart } from '../log/start-position.ts'
import { consumeLog } from './consume-log.ts'
import { createHistoryReader } from './history-reader.ts'
import { KeptHistory } from './kept-history.ts'

/** Options of {@link startEpochReader}. */
export interface EpochReaderOptions {
  readonly config: StreamGatewayConfig
  readonly kafka: KafkaClient
  /** For history pages and look-ups. */
  readonly pool: Pool
  /** For queries that must not wait for the pool's other ones: the projection's position. */
  readonly watchPool: Pool
  /** How long history is kept, milliseconds. */
  readonly historyMs: () => number
  readonly ids: StreamIds
  readonly log: Logger
  /** Undefined when no traces are collected. */
  readonly tracing?: Tracing | undefined
  readonly budget: UnsentBudget
  readonly historyTurns: TenantTurns
  readonly closeStream: HubOptions['closeStream']
}

/** The reading of one epoch of the log: hub, reader and polling of the projection. */
export interface EpochReader {
  readonly epoch: LogEpoch
  readonly hub: Hub
  readonly reader: LogReader
  readonly projection: ProjectionPoll
  /** The log's end when the reading began: "now" is not before it. */
  readonly endAtStart: OffsetVector
  /** Whether the reading has passed it. */
  caughtUp(): boolean
  /** Where the kept history begins, as last looked up (every minute). */
  floor(): OffsetVector
  /** From where on everything appended at or after a moment follows. */
  positionAt(atMs: number): Promise<OffsetVector>
  /** When the oldest event that is kept was appended. */
  earliestMs(): Promise<number | undefined>
  /** The log's end now; Infinity where it is not known. */
  logEnd(): Promise<OffsetVector>
  /** The id of a position. */
  idOf(position: OffsetVector): string
  close(): Promise<void>
}

/** For as many bytes of the ring one event id is remembered, which takes 50 itself: half a million for the default ring. */
const RING_BYTES_PER_ID = 256
/** Event ids remembered while the projection does not move, 50 bytes each; beyond that the oldest are dropped and counted. */
const UNPROJECTED_IDS_MAX = 4_000_000
/** Pauses between polls of the projection, ms, while a stream waits for it and else: a poll costs as much as dozens of frames. */
const POLL_AWAITED_MS = 100
const POLL_ELSE_MS = 1000

/**
 * Starts to read the log of an epoch. A partition without a leader starts at the projection's position. Rejects while Kafka
 * or Postgres is unavailable, and with `log_identity_changed` when the log ends before the projection's position.
 */
export async function startEpochReader(o: EpochReaderOptions, epoch: LogEpoch): Promise<EpochReader> {
  const { config, kafka, pool, watchPool, historyMs, log, tracing } = o
  const { KAFKA_TOPIC: topic, KAFKA_PARTITIONS: partitions } = config
  const { start, endAtStart } = await findStart(o, epoch)
  const history = new KeptHistory({ pool, watchPool, epoch: epoch.epoch, topic, partitions, historyMs })
  const hub = createHub(o, epoch, start)

  const releasers = createReleasers(log)
  const reader = consumeLog({ client: kafka, topic, identity: epoch, hub, log, tracing })
  releasers.add('log reader', () => reader.close())
  const projection = pollProjection(o, history, hub)
  releasers.add('projection poll', () => projection.close())

  return {
    epoch,
    hub,
    reader,
    projection,
    endAtStart,
    caughtUp: () => dominates(hub.ring.position, endAtStart),
    floor: () => history.floor,
    positionAt: (atMs) => history.positionAt(atMs),
    earliestMs: () => history.earliestMs(),
    async logEnd() {
      return knownEnd(await describeAvailable(kafka, topic), { identity: epoch, partitionCount: partitions })
    },
    idOf: (position) => o.ids.seal({ epoch: epoch.epoch, position }),
    close: () => releasers.close(),
  }
}

/** Where the reading of an epoch begins, and the log's end now. */
async function findStart({ config, kafka, pool }: EpochReaderOptions, { epoch }: LogEpoch) {
  const { KAFKA_TOPIC: topic, KAFKA_PARTITIONS: partitions, RING_BYTES_MAX: ringBytesMax } = config
  // Read before the log's end: a projection that advances in between would seem to be beyond the log.
  const positions = await readPositions(pool, { projection: 'events', epoch, topic })
  const projected = new Map([...positions].map(([partition, at]) => [partition, at.nextOffset]))
  const logStart = Float64Array.from({ length: partitions }, (_, partition) => projected.get(partition) ?? 0)
  const logEnd = Float64Array.from(logStart)
  for (const each of (await describeAvailable(kafka, topic)).partitions) {
    logStart[each.partition] = each.logStart
    logEnd[each.partition] = each.logEnd
  }
  if (beyondEnd({ logEnd, projected }).length > 0) {
    throw kafkaFault('log_identity_changed', 'The log ends before what was projected.')
  }
  return { start: readerStart({ logStart, logEnd, projected, ringBytesMax }), endAtStart: logEnd }
}

function createHub(o: EpochReaderOptions, { epoch }: LogEpoch, start: OffsetVector): Hub {
  const { config, pool, log } = o
  const readHistory = createHistoryReader({
    read: (request) => readHistoryPage(pool, request),
    isLong: (asked) => isLongHistory(pool, asked),
    partitions: config.KAFKA_PARTITIONS,
    epoch,
    topic: config.KAFKA_TOPIC,
  })
  return new Hub({
    epoch,
    start,
    fromOrigin: Array.from(start, (offset) => offset === 0 && epoch === 1),
    ids: o.ids,
    ringBytesMax: config.RING_BYTES_MAX,
    idsMax: Math.floor(config.RING_BYTES_MAX / RING_BYTES_PER_ID),
    unprojectedIdsMax: UNPROJECTED_IDS_MAX,
    unsentBytesMax: config.STREAM_UNSENT_BYTES_MAX,
    budget: o.budget,
    historyTurns: o.historyTurns,
    readHistory: (filter: StreamFilter, position, { scan }) => readHistory(filter.tenant, filter, position, scan),
    closeStream: o.closeStream,
    lookUps: {
      lookUp: (partition, candidates) => findEarlierDuplicates(pool, { epoch, partition, candidates }),
      newestTimes: (tenants) => newestEventTimes(pool, tenants),
      onOpened: (error) => log.error({ err: error }, 'duplicates are not looked up until Postgres answers'),
    },
    now: () => performance.now(),
    schedule: (run) => void setImmediate(run),
    onHistoryError: (error) => log.warn({ err: error }, 'a history page cannot be read'),
  })
}

/** Polls the projection, and reports its position to all that wait. */
function pollProjection({ config, log }: EpochReaderOptions, history: KeptHistory, hub: Hub): ProjectionPoll {
  let lastRead = originOf(config.KAFKA_PARTITIONS)
  const isAwaited = () => hub.isWaiting() || hub.duplicates.isOpen
  return startProjectionPoll({
    read: () => history.readProjection(),
    everyMs: () => (isAwaited() ? POLL_AWAITED_MS : POLL_ELSE_MS),
    // Else all that was read of the log is projected, so that there is nothing to drop either.
    isNeeded: () => isAwaited() || !dominates(lastRead, hub.ring.position),
    onPosition(position) {
      lastRead = position
      void hub.duplicates.retry()
      hub.setProjected(position)
    },
    log,
  })
}
