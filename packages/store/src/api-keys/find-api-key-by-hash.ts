import type { Queryable } from '../queryable.ts'
import {
  API_KEY_SECRET_COLUMNS,
  toApiKeySecret,
  type ApiKeySecret,
  type ApiKeySecretColumns,
} from './api-key-secret.ts'

/**
 * The key one of whose secrets has this SHA-256, also when the key is revoked or expired, or the secret was retired. By the
 * unique indexes on `hash`; one hash is never in both tables.
 */
export async function findApiKeyByHash(db: Queryable, hash: Buffer): Promise<ApiKeySecret | undefined> {
  const { rows } = await db.query<ApiKeySecretColumns>({
    name: 'find-api-key-by-hash',
    text: `SELECT ${API_KEY_SECRET_COLUMNS}, s.secret, s.secret_ends_at
             FROM (SELECT id, secret_number AS secret, NULL::timestamptz AS secret_ends_at FROM api_keys WHERE hash = $1
                   UNION ALL
                   SELECT api_key_id, secret_number, valid_until FROM api_key_retired_secrets WHERE hash = $1) s
             JOIN api_keys k ON k.id = s.id
             LEFT JOIN tenants t ON t.id = k.tenant_id`,
    values: [hash],
  })
  return rows[0] === undefined ? undefined : toApiKeySecret(rows[0])
}
