import { describeLog, type KafkaClient, type LogReader } from '@ariftly/kafka'
import type { Pool } from '@ariftly/store'
import { ensurePositions, readPositions, type LogEpoch } from '@ariftly/store/projection'
import type { EpochSession } from './follow-epochs.ts'

/** The reading of an epoch by a log reader. */
export function sessionOf(reader: LogReader): EpochSession {
  return { stopped: failureOf(reader), close: () => reader.close() }
}

async function failureOf(reader: LogReader): Promise<Error | undefined> {
  await reader.stopped
  return reader.failure
}

/** What a projection is going to read. */
export interface ProjectionStart {
  readonly kafka: KafkaClient
  readonly pool: Pool
  readonly projection: string
  readonly topic: string
  readonly partitions: number
  readonly epoch: LogEpoch
}

/** Gives each partition that has no position in the projection the log's start. Kafka is only asked when one lacks. */
export async function ensureStart(o: ProjectionStart): Promise<void> {
  const key = { projection: o.projection, epoch: o.epoch.epoch, topic: o.topic }
  const positions = await readPositions(o.pool, key)
  if (positions.size === o.partitions) return
  const { partitions } = await describeLog(o.kafka, o.topic)
  const starts = new Map(partitions.map(({ partition, logStart }) => [partition, logStart]))
  await ensurePositions(o.pool, { ...key, starts })
}
