import { parseTypeId } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import {
  API_KEY_SECRET_COLUMNS,
  toApiKeySecret,
  type ApiKeySecret,
  type ApiKeySecretColumns,
} from './api-key-secret.ts'

/**
 * The key of an id (`key_…`) and one of its secrets by number, also when the key is revoked or expired, or the secret was
 * retired; undefined for what is no such id or number. By primary key.
 */
export async function findApiKeyById(
  db: Queryable,
  o: { readonly id: string; readonly secret: number },
): Promise<ApiKeySecret | undefined> {
  const uuid = parseTypeId('key', o.id)?.toString('hex')
  if (uuid === undefined) return undefined
  const { rows } = await db.query<ApiKeySecretColumns>({
    name: 'find-api-key-by-id',
    text: `SELECT ${API_KEY_SECRET_COLUMNS}, $2::int AS secret, r.valid_until AS secret_ends_at
             FROM api_keys k
             LEFT JOIN tenants t ON t.id = k.tenant_id
             LEFT JOIN api_key_retired_secrets r ON r.api_key_id = k.id AND r.secret_number = $2
            WHERE k.id = $1::uuid AND (k.secret_number = $2 OR r.hash IS NOT NULL)`,
    values: [uuid, o.secret],
  })
  return rows[0] === undefined ? undefined : toApiKeySecret(rows[0])
}
