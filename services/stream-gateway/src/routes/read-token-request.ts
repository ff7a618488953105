import { createBodyReader, STREAM_TOKEN_LIMITS, streamTokenRequestSchema } from '@ariftly/contract'
import { filterOf, type EventFilter } from '@ariftly/events'

/** What a stream token is to hold, and for how long. */
export interface TokenRequest {
  readonly filter: EventFilter
  readonly ttlS: number
}

const readBody = createBodyReader(streamTokenRequestSchema, { optional: true })

/** Reads the parsed body of `POST /v1/stream-tokens`. @throws Problem 422 */
export function readTokenRequest(body: unknown): TokenRequest {
  const { ttl_s: ttlS = STREAM_TOKEN_LIMITS.ttlSDefault, ...filter } = readBody(body)
  return { filter: filterOf(filter), ttlS }
}
