import { typeIdToUuid, uuidToTypeId } from '@ariftly/events'
import { plainArray, prepared, type Transaction } from '@ariftly/store'
import type { PausedUntil } from '../paused-until.ts'
import { NEXT_TOKEN_MS, RATE_TOKENS } from './endpoint-times.ts'
import type { LockedEndpoint } from './lock-endpoints.ts'
import type { QueuedDelivery } from './queue-due-deliveries.ts'

/**
 * Takes the tokens of what was queued for rate-limited endpoints, whose rows this transaction holds. Returns the milliseconds until each
 * locked endpoint has a token; 0 while it has one. By primary key.
 */
export async function spendTokens(
  tx: Transaction,
  locked: readonly LockedEndpoint[],
  queued: readonly Pick<QueuedDelivery, 'webhookId'>[],
): Promise<ReadonlyMap<string, number>> {
  const waits = new Map(locked.map(({ webhookId, nextTokenMs }) => [webhookId, nextTokenMs]))
  const limited = new Set(locked.filter(({ tokens }) => tokens !== null).map(({ webhookId }) => webhookId))
  const spent = new Map<string, number>()
  for (const { webhookId } of queued) {
    if (limited.has(webhookId)) spent.set(webhookId, (spent.get(webhookId) ?? 0) + 1)
  }
  if (spent.size === 0) return waits
  const values = [plainArray([...spent.keys()].map((id) => typeIdToUuid('whk', id))), plainArray([...spent.values()])]
  const { rows } = await tx.query<{ webhook_id: string; next_token_ms: number }>(prepared(SPEND, values))
  for (const row of rows) waits.set(uuidToTypeId('whk', row.webhook_id), row.next_token_ms)
  return waits
}

const SPEND = `
UPDATE webhook_endpoints e
   SET rate_tokens = ${RATE_TOKENS} - s.tokens, rate_refilled_at = clock_timestamp()
  FROM unnest($1::uuid[], $2::int[]) AS s (webhook_id, tokens)
  JOIN webhooks w ON w.id = s.webhook_id
 WHERE e.webhook_id = s.webhook_id AND w.rate_limit IS NOT NULL
RETURNING e.webhook_id, ${NEXT_TOKEN_MS} AS next_token_ms`

/** Pauses webhooks that have no token until they have one: `tokenMs` is how long that is, 0 while they have one. */
export function pauseUntilToken(paused: PausedUntil, tokenMs: ReadonlyMap<string, number>): void {
  for (const [id, ms] of tokenMs) if (ms > 0) paused.pause(id, ms)
}
