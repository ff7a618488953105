import { parseTypeId, uuidToTypeId } from '@ariftly/events'
import { plainArray } from '../prepared.ts'
import type { Queryable } from '../queryable.ts'
import {
  API_KEY_SECRET_COLUMNS,
  toApiKeySecret,
  type ApiKeySecret,
  type ApiKeySecretColumns,
} from './api-key-secret.ts'

/**
 * The keys of ids (`key_…`) with one of their secrets by number, in the order of what is asked, also when a key is revoked or
 * expired, or a secret was retired; undefined for what is no such id or number. By primary key.
 */
export async function findApiKeysById(
  db: Queryable,
  secrets: readonly { readonly keyId: string; readonly secret: number }[],
): Promise<readonly (ApiKeySecret | undefined)[]> {
  const asked = secrets.flatMap(({ keyId, secret }) => {
    const uuid = parseTypeId('key', keyId)?.toString('hex')
    return uuid === undefined ? [] : [{ uuid, secret }]
  })
  const { rows } = await db.query<ApiKeySecretColumns>({
    name: 'find-api-keys-by-id',
    text: `SELECT ${API_KEY_SECRET_COLUMNS}, a.secret, r.valid_until AS secret_ends_at
             FROM unnest($1::uuid[], $2::int[]) AS a (id, secret)
             JOIN api_keys k ON k.id = a.id
             LEFT JOIN tenants t ON t.id = k.tenant_id
             LEFT JOIN api_key_retired_secrets r ON r.api_key_id = k.id AND r.secret_number = a.secret
            WHERE k.secret_number = a.secret OR r.hash IS NOT NULL`,
    values: [plainArray(asked.map(({ uuid }) => uuid)), plainArray(asked.map(({ secret }) => secret))],
  })
  const found = new Map(rows.map((row) => [`${uuidToTypeId('key', row.id)} ${row.secret}`, toApiKeySecret(row)]))
  return secrets.map(({ keyId, secret }) => found.get(`${keyId} ${secret}`))
}
