import type { DeadLetterWriter, HandleOutcome, LogBatch, LogGap } from '@ariftly/kafka'
import type { ServiceDeps } from '@ariftly/runtime'
import type { Pool } from '@ariftly/store'
import { recordGap } from '@ariftly/store/projection'
import { createBatchWriter } from './batch-writer.ts'
import { decodeBatch, secondOf } from './decode-batch.ts'
import { createEventPartitions } from './event-partitions.ts'
import { PROJECTION } from './projection.ts'
import type { ProjectorMetrics } from './projector-metrics.ts'
import { traceProjection } from './trace-projection.ts'

/** Dependencies of a projection. */
export interface ProjectionOptions {
  readonly pool: Pool
  readonly epoch: number
  readonly topic: string
  /** The consumer group, for spans. */
  readonly group: string
  /** Partitions of the topic. */
  readonly partitions: number
  readonly deadLetters: Pick<DeadLetterWriter, 'write'>
  readonly metrics: ProjectorMetrics
}

/** The steps of the projection, for the log reader. */
export interface Projection {
  /** Writes a batch and its checkpoint in one transaction; `reread` when another process has moved the checkpoint. */
  readonly projectBatch: (batch: LogBatch) => Promise<HandleOutcome>
  /** Records offsets that the log lost before they were read. */
  readonly noteGap: (gap: LogGap) => Promise<void>
}

/** Creates the steps, for an epoch of the log: decode, make room for the events' days, write, count. */
export function createProjection(
  { pool, epoch, topic, group, partitions, deadLetters, metrics }: ProjectionOptions,
  { log, tracing }: Pick<ServiceDeps, 'log' | 'tracing'>,
): Projection {
  const eventPartitions = createEventPartitions(pool)
  /** By partition, a second of which the last batch has left a log time: most batches follow within the same one. */
  const recordedSeconds = new Map<number, number>()
  const writeBatch = createBatchWriter({
    pool,
    epoch,
    topic,
    eventPartitions,
    writeDeadLetters: (given) => deadLetters.write(given),
    onWritten(outcome) {
      metrics.written(outcome)
      const { expired } = outcome
      if (expired > 0) log.warn({ expired }, 'events that are older than the kept history were passed over')
      for (const conflict of outcome.conflicts)
        log.warn(conflict, 'event_id_conflict: the id belongs to an event with other content')
    },
  })

  async function projectBatch(batch: LogBatch): Promise<HandleOutcome> {
    const startedMs = performance.now()
    const { partition, firstOffset, lastOffset } = batch
    const decoded = decodeBatch(batch, { epoch, partitions })
    const recorded = recordedSeconds.get(partition)
    recordedSeconds.delete(partition)
    const times = decoded.times.filter(({ appendedAtMs }) => secondOf(appendedAtMs) !== recorded)
    await eventPartitions.ensure(decoded.events)
    const outcome = await traceProjection(tracing, { batch, decoded, topic, group }, () =>
      writeBatch({ batch, decoded: { ...decoded, times } }),
    )
    if (outcome.type === 'lost') {
      metrics.reread()
      log.info({ partition, firstOffset }, 'another process has moved the position')
      return { type: 'reread' }
    }
    const lastTime = decoded.times.at(-1)
    if (lastTime !== undefined) recordedSeconds.set(partition, secondOf(lastTime.appendedAtMs))
    const tookMs = performance.now() - startedMs
    metrics.took(tookMs)
    log.debug({ partition, firstOffset, lastOffset, took_ms: Math.round(tookMs) }, 'batch')
    return { type: 'done' }
  }

  async function noteGap({ partition, expected, found }: LogGap): Promise<void> {
    await recordGap(pool, { projection: PROJECTION, epoch, topic, partition, from: expected, to: found })
    metrics.gap(found - expected)
  }

  return { projectBatch, noteGap }
}
