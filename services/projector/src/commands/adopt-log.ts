import { recordId } from '@ariftly/events'
import { describeLog, isSameLog, scanLog, type LogPartition } from '@ariftly/kafka'
import { withTransaction } from '@ariftly/store'
import { currentEpoch, ensurePositions, openEpoch, readPositions } from '@ariftly/store/projection'
import type { LogEpoch, ProjectionPosition } from '@ariftly/store/projection'
import { PROJECTION } from '../projection.ts'
import type { CommandContext } from './command.ts'

/**
 * Opens a new epoch: the log that has the topic's name is read from its start. What was projected of the
 * previous one stays, and an event that is in both is stored once. Refuses when it is the very log that was read, as its
 * rows would then be of a previous epoch (ADR 61); and, without `--force`, when it cannot be found out. Services that have stopped with
 * `log_identity_changed` continue without a restart.
 */
export async function adoptLog(context: CommandContext): Promise<number> {
  const { kafka, pool, topic, print, force } = context
  const { clusterId, topicId, partitions } = await describeLog(kafka, topic)
  const previous = await currentEpoch(pool, topic)
  const mayBeSame = previous !== undefined && isSameLog(previous, { clusterId, topicId })
  const likeness = mayBeSame ? await compareLogs(context, previous, partitions) : 'other'
  if (likeness === 'same') {
    print(
      `Epoch ${previous?.epoch} is of this log: the record that was read last is still at its offset. Nothing was changed.`,
    )
    print('To restore missing events: rebuild.')
    return 1
  }
  if (likeness === 'unknown' && !force) {
    print(
      `Epoch ${previous?.epoch} is of this cluster, and nothing shows that this is another log. Nothing was changed (use --force to adopt it).`,
    )
    return 1
  }
  const epoch = await withTransaction(pool, async (tx) => {
    const opened = await openEpoch(tx, { topic, clusterId, topicId })
    const starts = new Map(partitions.map(({ partition, logStart }) => [partition, logStart]))
    await ensurePositions(tx, { projection: PROJECTION, epoch: opened.epoch, topic, starts })
    return opened
  })
  print(`Opened epoch ${epoch.epoch} of ${topic} on cluster ${clusterId}, to be read from the log's start.`)
  return 0
}

/**
 * Whether a topic on the cluster of the previous epoch is the log that was read then. One that ends before a position, or has
 * another record where the last one was read, is not; one such record that is still the same says that it is.
 */
async function compareLogs(
  context: CommandContext,
  previous: LogEpoch,
  partitions: readonly LogPartition[],
): Promise<'same' | 'other' | 'unknown'> {
  const { pool, topic } = context
  const positions = await readPositions(pool, { projection: PROJECTION, epoch: previous.epoch, topic })
  let likeness: 'same' | 'unknown' = 'unknown'
  for (const bounds of partitions) {
    const position = positions.get(bounds.partition)
    if (position === undefined) continue
    if (position.nextOffset > bounds.logEnd) return 'other'
    const isThere = await hasLastRecord(context, bounds, position)
    if (isThere === false) return 'other'
    if (isThere === true) likeness = 'same'
  }
  return likeness
}

/** Undefined when no record was read, or the log has it no more. */
async function hasLastRecord(
  { kafka, topic }: CommandContext,
  { partition, logStart }: LogPartition,
  { lastOffset, lastId }: ProjectionPosition,
): Promise<boolean | undefined> {
  if (lastOffset === null || lastId === null || lastOffset < logStart) return undefined
  const range = { topic, partition, from: lastOffset, to: lastOffset + 1, bytesMax: 1 }
  for await (const [record] of scanLog(kafka, range)) return record !== undefined && recordId(record) === lastId
  return false
}
