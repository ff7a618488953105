import { describeLog, logFault, type KafkaClient, type LogPartition } from '@ariftly/kafka'
import { Fault } from '@ariftly/runtime'
import { type Pool } from '@ariftly/store'
import { currentEpoch, readPositions, type LogEpoch, type ProjectionPosition } from '@ariftly/store/projection'
import { PROJECTION } from '../projection.ts'

/** What an operator's command works with. */
export interface CommandContext {
  readonly kafka: KafkaClient
  readonly pool: Pool
  readonly topic: string
  readonly dlqTopic: string
  readonly partitions: number
  readonly force: boolean
  readonly now: () => number
  readonly print: (line: string) => void
}

/** Does its work and returns the exit code: 0, or 1 when what it checked is not as it should be. */
export type Command = (context: CommandContext) => Promise<number>

/** A partition as the log and the projection see it. */
export interface Place extends LogPartition {
  readonly position: ProjectionPosition
}

/** The offsets of each partition, in the log and in the projection. */
export interface Places {
  readonly epoch: LogEpoch
  readonly partitions: readonly Place[]
}

/**
 * Reads the offsets of log and projection. Faults: `no_epoch` before the first migration, `log_identity_changed` and
 * `partition_count_changed` when the log is not the projection's, and those of `describeLog`.
 */
export async function readPlaces({ kafka, pool, topic, partitions: count }: CommandContext): Promise<Places> {
  const epoch = await currentEpoch(pool, topic)
  if (epoch === undefined) throw new Fault({ code: 'no_epoch', message: `Topic ${topic} has no epoch: run migrate.` })
  // Positions first: what is read later of the log is at least as far.
  const positions = await readPositions(pool, { projection: PROJECTION, epoch: epoch.epoch, topic })
  const described = await describeLog(kafka, topic)
  const fault = logFault({ topic, identity: epoch, partitionCount: count }, described)
  if (fault !== undefined) throw fault
  return {
    epoch,
    partitions: described.partitions.map((bounds) => ({
      ...bounds,
      position: positions.get(bounds.partition) ?? { nextOffset: bounds.logStart, lastOffset: null, lastId: null },
    })),
  }
}
