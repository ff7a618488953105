import { typeIdToUuid, uuidToTypeId } from '@ariftly/events'
import { plainArray, prepared, type Queryable } from '@ariftly/store'

/**
 * SQL: the tokens that an endpoint `e` of a webhook `w` with a rate limit has now. The bucket fills with `rate_limit` a second and
 * holds a quarter of a second's worth, at least one. A clock of Postgres that was set back fills it like one that went on, so
 * that the endpoint does not wait until the clock has made up for it.
 */
export const RATE_TOKENS = `least(greatest(1, w.rate_limit / 4.0)::float8,
                       coalesce(e.rate_tokens + w.rate_limit
                                * abs(extract(epoch FROM clock_timestamp() - e.rate_refilled_at))::float8, 1))`

/** SQL: until that endpoint has a token, in whole ms; 0 when it has one or needs none. A second at most. */
export const NEXT_TOKEN_MS = `ceil(greatest(0, (1 - ${RATE_TOKENS}) / w.rate_limit) * 1000)::int`

/**
 * Takes tokens of rate-limited endpoints whose rows this transaction holds, and returns in how many ms each of them has a token
 * again. By primary key.
 */
export async function spendRateTokens(
  tx: Queryable,
  o: { readonly spent: ReadonlyMap<string, number> },
): Promise<ReadonlyMap<string, number>> {
  if (o.spent.size === 0) return new Map()
  const { rows } = await tx.query<{ webhook_id: string; next_token_ms: number }>(
    prepared(
      `UPDATE webhook_endpoints e
        SET rate_tokens = ${RATE_TOKENS} - s.tokens,
            rate_refilled_at = clock_timestamp()
       FROM unnest($1::uuid[], $2::int[]) AS s (webhook_id, tokens)
       JOIN webhooks w ON w.id = s.webhook_id
      WHERE e.webhook_id = s.webhook_id AND w.rate_limit IS NOT NULL
  RETURNING e.webhook_id, ${NEXT_TOKEN_MS} AS next_token_ms`,
      [plainArray([...o.spent.keys()].map((id) => typeIdToUuid('whk', id))), plainArray([...o.spent.values()])],
    ),
  )
  return new Map(rows.map((row) => [uuidToTypeId('whk', row.webhook_id), row.next_token_ms]))
}

/**
 * SQL: when a failing endpoint `e` is to be probed; null for an open one. Further away than its wait it can only be when the clock of Postgres
 * was set back: it is due then. `clock_timestamp()`, as another transaction may have set it after this one began.
 */
export const NEXT_PROBE_AT = `CASE WHEN e.next_probe_at > clock_timestamp() + e.probe_delay_ms * interval '1 ms' THEN now()
                                 ELSE e.next_probe_at END`
