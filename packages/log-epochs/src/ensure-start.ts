import { describeLog, type KafkaClient } from '@ariftly/kafka'
import type { Pool } from '@ariftly/store'
import { ensurePositions, readPositions, type LogEpoch } from '@ariftly/store/projection'

/** What a projection is going to read. */
export interface ProjectionStart {
  readonly kafka: KafkaClient
  readonly pool: Pool
  readonly projection: string
  readonly topic: string
  readonly partitions: number
  readonly epoch: LogEpoch
}

/** Sets the log's start as the position of each partition without one. Kafka is queried only when one is missing. */
export async function ensureStart(o: ProjectionStart): Promise<void> {
  const key = { projection: o.projection, epoch: o.epoch.epoch, topic: o.topic }
  const positions = await readPositions(o.pool, key)
  if (positions.size === o.partitions) return
  const { partitions } = await describeLog(o.kafka, o.topic)
  const starts = new Map(partitions.map(({ partition, logStart }) => [partition, logStart]))
  await ensurePositions(o.pool, { ...key, starts })
}
