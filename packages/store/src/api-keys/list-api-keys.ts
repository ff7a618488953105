import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import { API_KEY_COLUMNS, toApiKeyRow, type ApiKeyColumns, type ApiKeyRow } from './api-key-row.ts'

/** Which keys to list. */
export interface ListApiKeysOptions {
  readonly tenant: string
  /** Only those older than this id (`key_…`). */
  readonly beforeId?: string
  readonly limit: number
}

/** Keys of a tenant that are not revoked (expired ones are there), newest first. By the index on (tenant_id, id). */
export async function listApiKeys(db: Queryable, o: ListApiKeysOptions): Promise<readonly ApiKeyRow[]> {
  const { rows } = await db.query<ApiKeyColumns>({
    name: 'list-api-keys',
    text: `SELECT ${API_KEY_COLUMNS} FROM api_keys k
           WHERE tenant_id = $1 AND revoked_at IS NULL AND id < $2::uuid
           ORDER BY id DESC LIMIT $3`,
    values: [o.tenant, o.beforeId === undefined ? LAST_UUID : typeIdToUuid('key', o.beforeId), o.limit],
  })
  return rows.map(toApiKeyRow)
}

const LAST_UUID = 'ffffffff-ffff-ffff-ffff-ffffffffffff'
