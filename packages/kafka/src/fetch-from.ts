import { createErrorFromCode, type InternalBroker } from './internals.ts'
import { decodeFetched, encodeFetch, type FetchedPartition, type FetchOrder } from './wire/fetch.ts'

const FETCH_KEY = 1
const FETCH_VERSION = 11
/** Beyond the wait that was asked for. */
const ANSWER_MS = 10_000

/**
 * Asks one broker for records of partitions that it leads, by Fetch v11. An error of one partition stands in its part of
 * the answer; rejects with the broker's error for the whole, and when no answer comes in time.
 */
export async function fetchFrom(broker: InternalBroker, order: FetchOrder): Promise<readonly FetchedPartition[]> {
  const body = encodeFetch(order)
  const { errorCode, topics } = await broker.connectionPool.send({
    request: {
      apiKey: FETCH_KEY,
      apiVersion: FETCH_VERSION,
      apiName: 'Fetch',
      encode: async () => ({ buf: body, buffer: body }),
    },
    response: {
      decode: async (data) => decodeFetched(data),
      parse: async (decoded) => decoded,
    },
    requestTimeout: order.maxWaitMs + ANSWER_MS,
    logResponseError: false,
  })
  if (errorCode !== 0) throw createErrorFromCode(errorCode)
  return topics.flatMap(({ partitions }) => partitions)
}
