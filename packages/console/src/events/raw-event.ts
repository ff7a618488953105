import { ApiError } from '@ariftly/sdk'
import type { SessionKey } from '../session/session.ts'
import { parseRawJson, type Json } from '../ui/raw-json.ts'

/** An event as the API wrote it: the SDK's object has JavaScript's numbers. */
export async function readRawEvent(
  key: SessionKey,
  id: string,
  signal: AbortSignal,
): Promise<{ readonly text: string; readonly value: Json }> {
  const answer = await key.get(`/v1/events/${encodeURIComponent(id)}`, signal)
  const text = await answer.text()
  if (!answer.ok) {
    const requestId = answer.headers.get('X-Request-Id') ?? undefined
    throw new ApiError({ status: answer.status, problem: undefined, body: text, requestId, retryAfterMs: undefined })
  }
  return { text, value: parseRawJson(text) }
}
