import { typeIdToUuid } from '@ariftly/events'
import type { Transaction } from '../queryable.ts'
import { lockApiKeyChanges } from './lock-api-key.ts'

/** A rotation of a key. */
export interface RotateApiKeyOptions {
  /** `key_…`, locked by {@link lockApiKey}. */
  readonly id: string
  /** SHA-256 of the new secret, 32 bytes. */
  readonly hash: Buffer
  /** How long the old secret still works; 0 ends it at once. */
  readonly overlapMs: number
}

/**
 * Gives a key a new secret, keeps the old one until the overlap ends, and writes the feed, in the caller's transaction.
 * False, with nothing changed, while the overlap of an earlier rotation runs.
 */
export async function rotateApiKey(tx: Transaction, o: RotateApiKeyOptions): Promise<boolean> {
  await lockApiKeyChanges(tx)
  const { rowCount } = await tx.query(
    `WITH retired AS (
       INSERT INTO api_key_retired_secrets (hash, api_key_id, secret_number, valid_until)
       SELECT hash, id, secret_number, now() + $3::float8 * interval '1 ms' FROM api_keys k
        WHERE id = $1::uuid AND NOT EXISTS (
                SELECT FROM api_key_retired_secrets r WHERE r.api_key_id = k.id AND r.valid_until > now())
       RETURNING api_key_id, secret_number, valid_until),
     rotated AS (
       UPDATE api_keys k SET hash = $2, secret_number = k.secret_number + 1
         FROM retired WHERE k.id = retired.api_key_id)
     INSERT INTO api_key_changes (api_key_id, kind, secret_number, ends_at)
     SELECT api_key_id, 'rotated', secret_number, valid_until FROM retired`,
    [typeIdToUuid('key', o.id), o.hash, o.overlapMs],
  )
  return rowCount === 1
}
