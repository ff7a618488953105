import { describeLog, type KafkaClient, type LogReader } from '@ariftly/kafka'
import { hasFaultCode, messageOf, retryForever, sleep, type Logger } from '@ariftly/runtime'
import { type Pool } from '@ariftly/store'
import { currentEpoch, ensurePositions, type LogEpoch } from '@ariftly/store/projection'
import { PROJECTION } from './projection.ts'

export interface FollowEpochsOptions {
  readonly kafka: KafkaClient
  readonly pool: Pool
  readonly topic: string
  readonly partitions: number
  readonly signal: AbortSignal
  readonly log: Logger
  startReader(epoch: LogEpoch): LogReader
  /** Told why no reader can be started yet; undefined when that is over. */
  onTrouble(reason: string | undefined): void
  /** Told once before it ends by itself: no new epoch can mend what is wrong. */
  onBroken(error: Error): void
}

/** How often we look whether the first epoch, or the next one, has been opened. */
const FIRST_EPOCH_POLL_MS = 200
const NEXT_EPOCH_POLL_MS = 2_000

/**
 * Reads the log's newest epoch. When an operator opens another it goes over to that one, and when its reader has stopped by
 * itself (the log is not the one that it should be) it waits for it. Another number of partitions needs another setting, so then it ends (ADR 0020).
 * Resolves after that, or after the signal, when the last reader has stopped.
 */
export async function followEpochs(o: FollowEpochsOptions): Promise<void> {
  for (let after = 0; !o.signal.aborted;) {
    const epoch = await nextEpoch(o, after)
    if (epoch === undefined) return
    const reader = o.startReader(epoch)
    const stopped = new AbortController()
    void closeInTime(o, epoch, reader, AbortSignal.any([o.signal, stopped.signal]))
    await reader.stopped
    stopped.abort()
    if (hasFaultCode(reader.failure, 'partition_count_changed')) {
      o.onBroken(reader.failure)
      return
    }
    after = epoch.epoch
  }
}

/** Closes the reader of an epoch when there is a newer one, or at the signal. Nobody waits for it: Postgres may be away. */
async function closeInTime(
  o: FollowEpochsOptions,
  { epoch }: LogEpoch,
  reader: LogReader,
  signal: AbortSignal,
): Promise<void> {
  const close = () => void reader.close()
  signal.addEventListener('abort', close)
  while (!signal.aborted) {
    await sleep(NEXT_EPOCH_POLL_MS, signal)
    const newest = signal.aborted ? undefined : await currentEpoch(o.pool, o.topic).catch(() => undefined)
    if (newest !== undefined && newest.epoch > epoch) break
  }
  signal.removeEventListener('abort', close)
  await reader.close()
}

/** Waits for an epoch above `after`, whose partitions then all have a position; undefined after the signal. */
async function nextEpoch(o: FollowEpochsOptions, after: number): Promise<LogEpoch | undefined> {
  while (!o.signal.aborted) {
    const epoch = await untilItWorks(o, () => currentEpoch(o.pool, o.topic))
    if (epoch !== undefined && epoch.epoch > after) {
      await untilItWorks(o, () => ensureStart(o, epoch))
      return o.signal.aborted ? undefined : epoch
    }
    await sleep(after === 0 ? FIRST_EPOCH_POLL_MS : NEXT_EPOCH_POLL_MS, o.signal)
  }
  return undefined
}

/** Gives each partition that has no position the log's start. A log that is not the epoch's is left to the reader to tell. */
async function ensureStart({ kafka, pool, topic, partitions }: FollowEpochsOptions, epoch: LogEpoch): Promise<void> {
  const described = await describeLog(kafka, topic)
  if (described.clusterId !== epoch.clusterId || described.partitions.length !== partitions) return
  const starts = new Map(described.partitions.map(({ partition, logStart }) => [partition, logStart]))
  await ensurePositions(pool, { projection: PROJECTION, epoch: epoch.epoch, topic, starts })
}

async function untilItWorks<T>(o: FollowEpochsOptions, attempt: () => Promise<T>): Promise<T | undefined> {
  const outcome = await retryForever(attempt, {
    signal: o.signal,
    maxMs: NEXT_EPOCH_POLL_MS,
    onError(error) {
      const reason = messageOf(error)
      o.log.warn({ reason }, 'a backend is away, waiting')
      o.onTrouble(reason)
    },
  })
  o.onTrouble(undefined)
  return outcome
}
