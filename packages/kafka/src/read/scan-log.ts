import type { RawRecord } from '@ariftly/events'
import type { KafkaClient } from '../cluster/client.ts'
import { fetchFrom } from './fetch-from.ts'
import { brokerFault, kafkaFault } from '../kafka-fault.ts'
import { describeLog } from '../topics/describe-log.ts'
import type { FetchedPartition } from '../wire/fetch.ts'
import { readCommitted, readHeads } from '../wire/record-set.ts'

/** Which offsets to read. */
export interface ScanOptions {
  readonly topic: string
  readonly partition: number
  /** First offset. */
  readonly from: number
  /** The offset after the last. */
  readonly to: number
  /** Bytes asked for at a time. Default 4 MiB. */
  readonly bytesMax?: number
  /**
   * Called when retention has deleted the next records: those below `logStart` are passed over, and reading continues there. Without it
   * they are a fault `kafka_unavailable`.
   */
  readonly onLogStart?: (logStart: number) => void
}

const WAIT_MS = 500
const BYTES_MAX = 4 * 1024 * 1024

/**
 * Reads a range of a partition without a consumer group, for tools. Yields the committed records in order, some at a time;
 * they are views of fetched bytes. Ends at `to`, or at the log's end.
 * Fault `kafka_unavailable` when the broker refuses, `records_unreadable` after what precedes records that cannot be decoded.
 */
export async function* scanLog(client: KafkaClient, o: ScanOptions): AsyncGenerator<readonly RawRecord[], void> {
  let next = o.from
  while (next < o.to) {
    const fetched = await fetchOnce(client, o, next)
    if (fetched.outOfRange) {
      next = await findLogStart(client, o, next)
      o.onLogStart?.(next)
      continue
    }
    const heads = readHeads(fetched.batches, next)
    const last = heads.at(-1)
    if (last === undefined) {
      if (next >= fetched.highWatermark) return
      throw kafkaFault('kafka_unavailable', `No records were returned for ${o.topic}/${o.partition} at ${next}.`)
    }
    const { records, undecodable } = readCommitted(fetched.batches, heads, {
      partition: o.partition,
      from: next,
      aborted: fetched.aborted,
    })
    yield records.filter(({ offset }) => offset < o.to)
    if (undecodable !== undefined) {
      if (undecodable.head.baseOffset >= o.to) return
      throw undecodable.error
    }
    next = last.lastOffset + 1
  }
}

async function fetchOnce(client: KafkaClient, o: ScanOptions, offset: number): Promise<FetchedPartition> {
  const { topic, partition, bytesMax = BYTES_MAX } = o
  const cluster = client.topicCluster(topic)
  const { partitions } = await cluster.metadata()
  const leader = partitions.find((each) => each.partition === partition)?.leader
  if (leader === undefined) throw kafkaFault('topic_missing', `Partition ${topic}/${partition} does not exist.`)
  if (leader < 0) throw kafkaFault('kafka_unavailable', `Partition ${topic}/${partition} has no leader.`)
  const [fetched] = await fetchFrom(cluster, leader, {
    places: [{ partition, offset }],
    maxWaitMs: WAIT_MS,
    bytesMax,
    bytesPerPartitionMax: bytesMax,
  })
  if (fetched === undefined) throw noOffset(o, offset)
  if (fetched.errorCode !== 0 && !fetched.outOfRange) throw brokerFault(fetched.errorCode)
  return fetched
}

/** The log's start, when an offset is below it and the caller wants to continue there. */
async function findLogStart(client: KafkaClient, o: ScanOptions, offset: number): Promise<number> {
  if (o.onLogStart === undefined) throw noOffset(o, offset)
  const { partitions } = await describeLog(client, o.topic, [o.partition])
  const logStart = partitions[0]?.logStart ?? 0
  if (logStart <= offset) throw noOffset(o, offset)
  return logStart
}

function noOffset({ topic, partition }: ScanOptions, offset: number): Error {
  return kafkaFault('kafka_unavailable', `The log has no offset ${offset} in ${topic}/${partition}.`)
}
