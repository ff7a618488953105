import { createErrorFromCode, protocolRequests } from './internals.ts'
import { decodeFetched, type FetchedPartition } from './wire/fetch.ts'

const FETCH_VERSION = 11
/** Above every offset, so that kafkajs's own filter by offset lets it pass. */
const PASSES_EVERY_FILTER = '9223372036854775807'

/**
 * What stands in `batch.messages` instead of records: one message that carries the partition's part of the answer as it
 * came. kafkajs neither decodes nor filters it.
 */
export interface FetchedMessage {
  readonly offset: string
  readonly isControlRecord: false
  readonly fetched: FetchedPartition
}

/** A consumer whose `rackId` is this gets its answers raw; the broker is sent none. Other consumers stay as they are. */
export const RAW_FETCH = 'ariftly-raw-fetch'

let patched = false

/**
 * Replaces how kafkajs reads the answer to a Fetch, for consumers that ask for it by `rackId: RAW_FETCH`. Three reasons:
 *
 * - An offset that is out of range is handed to the reader, which judges it (a hole, or another log). kafkajs resets it
 *   silently and commits the reset.
 * - Every partition is reported with every fetch, also when it has nothing new: the reader sees the high watermark, the log
 *   start, control records, and that the consumer is alive.
 * - kafkajs's decoder takes 15 to 20 µs a record with ten headers, most of it in copying objects of headers.
 */
export function patchFetch(): void {
  if (patched) return
  patched = true
  const fetch = protocolRequests['Fetch']
  if (!fetch?.versions.includes(String(FETCH_VERSION))) throw new Error('This version of kafkajs is not known.')
  protocolRequests['Fetch'] = {
    versions: fetch.versions,
    protocol({ version }) {
      const original = fetch.protocol({ version })
      if (version !== FETCH_VERSION) return original
      return (payload) =>
        payload.rackId === RAW_FETCH
          ? { ...original({ ...payload, rackId: '' }), response: { decode: decodeResponse, parse: parseResponse } }
          : original(payload)
    },
  }
}

async function decodeResponse(data: Buffer): Promise<FetchAnswer> {
  return toKafkajs(data)
}

async function parseResponse(decoded: unknown): Promise<unknown> {
  for (const { partitions } of (decoded as FetchAnswer).responses) {
    const failed = partitions.find(({ errorCode }) => errorCode !== 0)
    if (failed) throw createErrorFromCode(failed.errorCode)
  }
  return decoded
}

type FetchAnswer = ReturnType<typeof toKafkajs>

/** The shape that kafkajs's consumer group reads. */
function toKafkajs(data: Buffer) {
  const { throttleMs, errorCode, topics } = decodeFetched(data)
  if (errorCode !== 0) throw createErrorFromCode(errorCode)
  return {
    throttleTime: 0,
    clientSideThrottleTime: throttleMs,
    responses: topics.map(({ topic, partitions }) => ({
      topicName: topic,
      partitions: partitions.map((fetched) => ({
        partition: fetched.partition,
        errorCode: fetched.outOfRange ? 0 : fetched.errorCode,
        highWatermark: String(fetched.highWatermark),
        preferredReadReplica: -1,
        abortedTransactions: [],
        messages: [{ offset: PASSES_EVERY_FILTER, isControlRecord: false, fetched } satisfies FetchedMessage],
      })),
    })),
  }
}
