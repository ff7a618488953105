import { parseTypeId } from '@ariftly/events'
import type { Transaction } from '../queryable.ts'

/** Which key to revoke. */
export interface RevokeApiKeyOptions {
  /** `key_…`. */
  readonly id: string
  /** Only if it is this tenant's; without it, any tenant's. */
  readonly tenant?: string
}

/**
 * Revokes a key and writes it into the feed, both in the caller's transaction. False when there is no such key, or it is
 * revoked already. The lock is taken in a statement of its own: the number of the feed's entry is drawn after it.
 */
export async function revokeApiKey(tx: Transaction, o: RevokeApiKeyOptions): Promise<boolean> {
  const uuid = parseTypeId('key', o.id)?.toString('hex')
  if (uuid === undefined) return false
  await tx.query('SELECT pg_advisory_xact_lock($1)', [CHANGES_LOCK])
  const { rowCount } = await tx.query(
    `WITH revoked AS (
       UPDATE api_keys SET revoked_at = now()
       WHERE id = $1::uuid AND revoked_at IS NULL AND ($2::text IS NULL OR tenant_id = $2)
       RETURNING id)
     INSERT INTO api_key_changes (api_key_id, kind) SELECT id, 'revoked' FROM revoked`,
    [uuid, o.tenant ?? null],
  )
  return rowCount === 1
}

/** Any number that nothing else locks. */
const CHANGES_LOCK = 5_170_233_911
