import { parseTypeId } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import { API_KEY_COLUMNS, toApiKeyRow, type ApiKeyColumns, type ApiKeyRow } from './api-key-row.ts'

/** The key of an id (`key_…`), also when it is revoked or expired; undefined for what is no such id. By primary key. */
export async function findApiKeyById(db: Queryable, id: string): Promise<ApiKeyRow | undefined> {
  const uuid = parseTypeId('key', id)?.toString('hex')
  if (uuid === undefined) return undefined
  const { rows } = await db.query<ApiKeyColumns>({
    name: 'find-api-key-by-id',
    text: `SELECT ${API_KEY_COLUMNS} FROM api_keys WHERE id = $1::uuid`,
    values: [uuid],
  })
  return rows[0] === undefined ? undefined : toApiKeyRow(rows[0])
}
