import type { Queryable } from '../queryable.ts'
import {
  API_KEY_SECRET_COLUMNS,
  toApiKeySecret,
  type ApiKeySecret,
  type ApiKeySecretColumns,
} from './api-key-secret.ts'

/**
 * The keys one of whose secrets has one of these SHA-256, in the order of the hashes, also when a key is revoked or expired, or a
 * secret was retired; undefined for a hash of none. By the unique indexes on `hash`; one hash is never in both tables.
 */
export async function findApiKeysByHash(
  db: Queryable,
  hashes: readonly Buffer[],
): Promise<readonly (ApiKeySecret | undefined)[]> {
  const { rows } = await db.query<ApiKeySecretColumns & { readonly hash: Buffer }>({
    name: 'find-api-keys-by-hash',
    text: `SELECT ${API_KEY_SECRET_COLUMNS}, s.hash, s.secret, s.secret_ends_at
             FROM (SELECT hash, id, secret_number AS secret, NULL::timestamptz AS secret_ends_at
                     FROM api_keys WHERE hash = ANY ($1::bytea[])
                   UNION ALL
                   SELECT hash, api_key_id, secret_number, valid_until
                     FROM api_key_retired_secrets WHERE hash = ANY ($1::bytea[])) s
             JOIN api_keys k ON k.id = s.id
             LEFT JOIN tenants t ON t.id = k.tenant_id`,
    values: [hashes],
  })
  const found = new Map(rows.map((row) => [row.hash.toString('base64'), toApiKeySecret(row)]))
  return hashes.map((hash) => found.get(hash.toString('base64')))
}
