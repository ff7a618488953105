import { typeIdToUuid } from '@ariftly/events'
import type { Transaction } from '../queryable.ts'
import type { ApiKeyRow } from './api-key-row.ts'
import { lockApiKeyChanges } from './lock-api-key.ts'

/**
 * Writes name, quota and end of a key that {@link lockApiKey} has locked, and an entry of the feed, so that every process
 * looks it up again, in the caller's transaction.
 */
export async function updateApiKey(
  tx: Transaction,
  key: Pick<ApiKeyRow, 'id' | 'name' | 'quota' | 'expiresAtMs'>,
): Promise<void> {
  await lockApiKeyChanges(tx)
  await tx.query(
    `WITH updated AS (
       UPDATE api_keys SET name = $2, quota_events_per_s = $3, quota_bytes_per_s = $4, expires_at = $5
        WHERE id = $1::uuid RETURNING id, expires_at)
     INSERT INTO api_key_changes (api_key_id, kind, ends_at) SELECT id, 'updated', expires_at FROM updated`,
    [
      typeIdToUuid('key', key.id),
      key.name,
      key.quota.eventsPerS,
      key.quota.bytesPerS,
      key.expiresAtMs === null ? null : new Date(key.expiresAtMs),
    ],
  )
}
