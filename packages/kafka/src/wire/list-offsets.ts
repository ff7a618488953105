import type { BrokerRequest } from './broker-request.ts'
import type { WireReader } from './reader.ts'

/** The special timestamps of ListOffsets. */
export const LATEST = -1
/** The first offset that the log still has. */
export const EARLIEST = -2
const NO_REPLICA = -1

/** An offset that a leader was asked for; `errorCode` 0 when `offset` counts. */
export interface ListedOffset {
  readonly partition: number
  readonly errorCode: number
  readonly offset: number
}

/** ListOffsets v1: the first offset, or the end (high watermark), of partitions that the broker leads. */
export function listOffsetsRequest(o: {
  readonly topic: string
  readonly partitions: readonly number[]
  readonly timestamp: typeof LATEST | typeof EARLIEST
}): BrokerRequest<readonly ListedOffset[]> {
  return {
    apiKey: 2,
    apiName: 'ListOffsets',
    version: 1,
    write(to) {
      to.int32(NO_REPLICA)
      to.partitions({ topic: o.topic }, o.partitions, (partition) => {
        to.int32(partition)
        to.int64(o.timestamp)
      })
    },
    read: (from) => from.partitions(() => readPartition(from)),
  }
}

function readPartition(from: WireReader): ListedOffset {
  const partition = from.int32()
  const errorCode = from.int16()
  from.int64() // timestamp
  return { partition, errorCode, offset: from.int64() }
}
