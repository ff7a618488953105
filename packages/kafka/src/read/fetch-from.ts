import { brokerFault } from '../kafka-fault.ts'
import type { TopicCluster } from '../cluster/topic-cluster.ts'
import { errorName } from '../wire/error-name.ts'
import { fetchRequest, type FetchedPartition, type FetchOrder } from '../wire/fetch.ts'

/** In addition to the requested wait: how long an answer may take, and after how long the leader is looked up again. */
const ANSWER_MS = 10_000
const EXPECTED_MS = 500

/** Where to read a partition from. */
interface PartitionOffset {
  readonly partition: number
  readonly offset: number
}

/**
 * Fetches records of partitions from the broker that leads them. An error of one partition is in its part of the answer.
 * Rejects with the broker's error for the whole request, on a timeout, and when a silent broker leads none of them any more.
 */
export async function fetchFrom(
  cluster: TopicCluster,
  leader: number,
  order: Omit<FetchOrder, 'topic' | 'topicId' | 'places'> & { readonly places: readonly PartitionOffset[] },
): Promise<readonly FetchedPartition[]> {
  const { topic, topicId } = cluster
  const places = order.places.map((place) => ({ ...place, leaderEpoch: cluster.leaderEpochOf(place.partition) }))
  const { errorCode, partitions } = await cluster.send(leader, fetchRequest({ ...order, places, topic, topicId }), {
    channel: 'fetch',
    timeoutMs: order.maxWaitMs + ANSWER_MS,
    expectedMs: order.maxWaitMs + EXPECTED_MS,
    partitions: order.places.map(({ partition }) => partition),
  })
  if (errorCode !== 0) throw brokerFault(errorCode)
  for (const each of partitions) cluster.noteError(each.partition, errorName(each.errorCode))
  return partitions
}
