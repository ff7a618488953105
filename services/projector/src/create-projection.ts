import type { DeadLetterWriter, HandleOutcome, LogBatch, LogGap } from '@ariftly/kafka'
import type { ServiceDeps } from '@ariftly/runtime'
import type { Pool } from '@ariftly/store'
import { recordHole } from '@ariftly/store/projection'
import { decodeBatch, secondOf } from './decode-batch.ts'
import { createEventPartitions } from './event-partitions.ts'
import { PROJECTION } from './projection.ts'
import type { ProjectorMetrics } from './projector-metrics.ts'
import { traceProjection } from './trace-projection.ts'
import { writeBatch } from './write-batch.ts'

/** What a projection needs. */
export interface ProjectionOptions {
  readonly pool: Pool
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
  readonly projectBatch: (batch: LogBatch, epoch: number) => Promise<HandleOutcome>
  /** Records offsets that the log lost before they were read. */
  readonly recordGap: (gap: LogGap, epoch: number) => Promise<void>
}

/** Creates the steps: decode, make room for the events' days, write, count. */
export function createProjection(
  { pool, topic, group, partitions, deadLetters, metrics }: ProjectionOptions,
  { log, tracing }: Pick<ServiceDeps, 'log' | 'tracing'>,
): Projection {
  const eventPartitions = createEventPartitions(pool)
  /** By partition, a second of which the last batch has left a log time: most batches follow within the same one. */
  const recordedSeconds = new Map<number, { readonly epoch: number; readonly second: number }>()
  const writeDeadLetters: DeadLetterWriter['write'] = (letters) => deadLetters.write(letters)

  async function projectBatch(batch: LogBatch, epoch: number): Promise<HandleOutcome> {
    const startedMs = performance.now()
    const decoded = decodeBatch(batch, { epoch, partitions })
    const recorded = recordedSeconds.get(batch.partition)
    recordedSeconds.delete(batch.partition)
    const times = decoded.times.filter(
      ({ appendedAtMs }) => recorded?.epoch !== epoch || recorded.second !== secondOf(appendedAtMs),
    )
    await eventPartitions.ensure(decoded.events)
    const outcome = await traceProjection(tracing, { batch, decoded, topic, group }, () =>
      writeBatch(batch, { ...decoded, times }, { pool, epoch, topic, writeDeadLetters }),
    )
    const { partition, firstOffset, lastOffset } = batch
    if (outcome.type === 'lost') {
      metrics.reread()
      log.info({ partition, firstOffset }, 'another process has moved the position')
      return { type: 'reread' }
    }
    const lastTime = decoded.times.at(-1)
    if (lastTime !== undefined) recordedSeconds.set(partition, { epoch, second: secondOf(lastTime.appendedAtMs) })
    const tookMs = performance.now() - startedMs
    metrics.batch(outcome, tookMs)
    const { conflicts, ...counts } = outcome
    for (const conflict of conflicts) log.warn(conflict, 'event_id_conflict')
    log.debug({ partition, firstOffset, lastOffset, ...counts, took_ms: Math.round(tookMs) }, 'batch')
    return { type: 'done' }
  }

  async function recordGap({ partition, expected, found }: LogGap, epoch: number): Promise<void> {
    await recordHole(pool, { projection: PROJECTION, epoch, topic, partition, from: expected, to: found })
    metrics.hole(found - expected)
  }

  return { projectBatch, recordGap }
}
