import type { Queryable } from '../queryable.ts'
import { API_KEY_COLUMNS, toApiKeyRow, type ApiKeyColumns, type ApiKeyRow } from './api-key-row.ts'

/** The key whose characters have this SHA-256, also when it is revoked or expired. By the unique index on `hash`. */
export async function findApiKeyByHash(db: Queryable, hash: Buffer): Promise<ApiKeyRow | undefined> {
  const { rows } = await db.query<ApiKeyColumns>({
    name: 'find-api-key-by-hash',
    text: `SELECT ${API_KEY_COLUMNS} FROM api_keys WHERE hash = $1`,
    values: [hash],
  })
  return rows[0] === undefined ? undefined : toApiKeyRow(rows[0])
}
