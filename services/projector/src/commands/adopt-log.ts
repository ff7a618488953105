import { describeLog } from '@ariftly/kafka'
import { currentEpoch, ensurePositions, openEpoch, readPositions, withTransaction } from '@ariftly/store'
import { PROJECTION } from '../projection.ts'
import type { CommandContext } from './command.ts'

/**
 * Opens a new epoch: the log that stands under the topic's name now is read from its start. What was projected of the
 * former one stays, and an event that stands in both is not doubled. Refuses, without `--force`, when nothing says that
 * the log is another one. Services that have stopped with `log_identity_changed` go on by themselves.
 */
export async function adoptLog(context: CommandContext): Promise<number> {
  const { kafka, pool, topic, print, force } = context
  const { clusterId, partitions } = await describeLog(kafka, topic)
  const former = await currentEpoch(pool, topic)
  if (former && former.clusterId === clusterId && !force) {
    const positions = await readPositions(pool, { projection: PROJECTION, epoch: former.epoch, topic })
    const reaches = partitions.every(({ partition, logEnd }) => (positions.get(partition)?.nextOffset ?? 0) <= logEnd)
    if (reaches) {
      print(
        `Epoch ${former.epoch} is of this cluster, and the log reaches its positions. Nothing was done (--force does it).`,
      )
      return 1
    }
  }
  const epoch = await withTransaction(pool, async (tx) => {
    const opened = await openEpoch(tx, { topic, clusterId })
    const starts = new Map(partitions.map(({ partition, logStart }) => [partition, logStart]))
    await ensurePositions(tx, { projection: PROJECTION, epoch: opened.epoch, topic, starts })
    return opened
  })
  print(`Opened epoch ${epoch.epoch} of ${topic} on cluster ${clusterId}, to be read from the log's start.`)
  return 0
}
