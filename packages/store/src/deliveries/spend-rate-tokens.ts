import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import { RATE_TOKENS } from './rate-tokens.ts'

/**
 * Takes tokens of rate-limited endpoints whose rows this transaction holds. By primary key.
 */
export async function spendRateTokens(
  tx: Queryable,
  o: { readonly spent: ReadonlyMap<string, number> },
): Promise<void> {
  if (o.spent.size === 0) return
  await tx.query(
    `UPDATE webhook_endpoints e
        SET rate_tokens = ${RATE_TOKENS} - s.tokens,
            rate_refilled_at = clock_timestamp()
       FROM unnest($1::uuid[], $2::int[]) AS s (webhook_id, tokens)
       JOIN webhooks w ON w.id = s.webhook_id
      WHERE e.webhook_id = s.webhook_id AND w.rate_limit IS NOT NULL`,
    [[...o.spent.keys()].map((id) => typeIdToUuid('whk', id)), [...o.spent.values()]],
  )
}
