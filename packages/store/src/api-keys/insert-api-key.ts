import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import type { ApiKeyRow } from './api-key-row.ts'

/** A key to store, with the SHA-256 of its characters. */
export interface NewApiKey extends Omit<ApiKeyRow, 'revokedAtMs' | 'lastUsedAtMs'> {
  /** 32 bytes. */
  readonly hash: Buffer
}

/**
 * Stores a key. False, with nothing changed, when its hash stands already (also as that of a revoked key or a retired
 * secret), or when its tenant is being deleted.
 */
export async function insertApiKey(db: Queryable, key: NewApiKey): Promise<boolean> {
  const { rowCount } = await db.query(
    `INSERT INTO api_keys
       (id, tenant_id, name, scopes, hash, quota_events_per_s, quota_bytes_per_s, expires_at, created_at)
     VALUES ($1::uuid, $2, $3, $4, $5, $6, $7, $8, $9)
     ON CONFLICT (hash) DO NOTHING`,
    [
      typeIdToUuid('key', key.id),
      key.tenant,
      key.name,
      key.scopes,
      key.hash,
      key.quota.eventsPerS,
      key.quota.bytesPerS,
      key.expiresAtMs === null ? null : new Date(key.expiresAtMs),
      new Date(key.createdAtMs),
    ],
  )
  return rowCount === 1
}
