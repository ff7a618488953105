import { createBodyReader, STREAM_TOKEN_LIMITS, streamTokenRequestSchema } from '@ariftly/contract'
import type { EventFilter } from '@ariftly/events'

/** What a stream token is to hold, and for how long. */
export interface TokenRequest {
  readonly filter: EventFilter
  readonly ttlS: number
}

const readBody = createBodyReader(streamTokenRequestSchema, { optional: true })

/** Reads the parsed body of `POST /v1/stream-tokens`. @throws Problem 422 */
export function readTokenRequest(body: unknown): TokenRequest {
  const {
    task_id: taskId,
    session_id: sessionId,
    agent,
    types,
    ttl_s: ttlS = STREAM_TOKEN_LIMITS.ttlSDefault,
  } = readBody(body)
  const filter = {
    ...(taskId === undefined ? {} : { taskId }),
    ...(sessionId === undefined ? {} : { sessionId }),
    ...(agent === undefined ? {} : { agent }),
    ...(types === undefined ? {} : { types }),
  }
  return { filter, ttlS }
}
