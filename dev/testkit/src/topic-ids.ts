import { recordId } from '@ariftly/events'
import { describeLog, scanLog } from '@ariftly/kafka'
import { withClient } from './topics.ts'

/** The event ids of all records that a topic holds at the call; a test's ledger is compared with them. */
export async function readTopicIds(brokers: string, topic: string): Promise<ReadonlySet<string>> {
  return await withClient(brokers, async (client) => {
    const ids = new Set<string>()
    const { partitions } = await describeLog(client, topic)
    for (const { partition, logStart, logEnd } of partitions) {
      for await (const records of scanLog(client, { topic, partition, from: logStart, to: logEnd })) {
        for (const record of records) ids.add(recordId(record) ?? '')
      }
    }
    return ids
  })
}
