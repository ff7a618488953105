import type { Transaction } from '../queryable.ts'

/**
 * The keys of a tenant that are not revoked, expired ones too, counted up to one above its limit, and the limit. In a transaction that
 * holds the feed's lock (that of `insertApiKey`) nothing changes them. By index api_keys_tenant.
 */
export async function countLiveApiKeys(
  tx: Transaction,
  o: { readonly tenant: string; readonly defaultMax: number },
): Promise<{ readonly live: number; readonly max: number }> {
  const { rows } = await tx.query<{ live: number; max: number }>(
    `SELECT allowed.max, (SELECT count(*) FROM (
              SELECT FROM api_keys WHERE tenant_id = $1 AND revoked_at IS NULL LIMIT allowed.max + 1) keys) AS live
       FROM (SELECT coalesce((SELECT api_keys FROM tenants WHERE id = $1), $2::int) AS max) allowed`,
    [o.tenant, o.defaultMax],
  )
  const [row] = rows
  if (row === undefined) throw new Error('A count has answered no row.')
  return row
}
