import { expect, test } from '@jest/globals'
import { describeLog } from '@ariftly/kafka'
import { stackAddresses } from './addresses.ts'
import { createTestTopics, withClient } from './topics.ts'

test('topics of a test are empty, have the wanted partitions, and do not exist after delete', async () => {
  const topics = await createTestTopics({ partitions: 3 })
  const describeTopic = () => withClient(stackAddresses().kafka, (client) => describeLog(client, topics.topic))
  const { partitions } = await describeTopic()
  expect(partitions).toEqual([0, 1, 2].map((partition) => ({ partition, logStart: 0, logEnd: 0 })))
  await topics.delete()
  await expect(describeTopic()).rejects.toThrow(topics.topic)
})
