import { parseTypeId } from '@ariftly/events'
import type { Transaction } from '../queryable.ts'
import { lockApiKeyChanges } from './lock-api-key.ts'

/**
 * Revokes a key (`key_…`) and writes it into the feed, both in the caller's transaction. False when there is no such key, or
 * it is revoked already. By primary key.
 */
export async function revokeApiKey(tx: Transaction, o: { readonly id: string }): Promise<boolean> {
  const uuid = parseTypeId('key', o.id)?.toString('hex')
  if (uuid === undefined) return false
  await lockApiKeyChanges(tx)
  const { rowCount } = await tx.query(
    `WITH revoked AS (UPDATE api_keys SET revoked_at = now() WHERE id = $1::uuid AND revoked_at IS NULL RETURNING id)
     INSERT INTO api_key_changes (api_key_id, kind) SELECT id, 'revoked' FROM revoked`,
    [uuid],
  )
  return rowCount === 1
}
