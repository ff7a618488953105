import { parseTypeId } from '@ariftly/events'
import type { Transaction } from '../queryable.ts'
import { API_KEY_COLUMNS, toApiKeyRow, type ApiKeyColumns, type ApiKeyRow } from './api-key-row.ts'

/**
 * Takes the feed's lock until the transaction ends. Every writer of the feed takes it in a statement of its own, before it
 * locks a row and before its entry's number is drawn, so numbers become visible in their order. The trigger on new keys
 * takes the same one.
 */
export async function lockApiKeyChanges(tx: Transaction): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock($1)', [CHANGES_LOCK])
}

/** Stands in the migration that guards new keys too. */
const CHANGES_LOCK = 5_170_233_911

/**
 * Takes the feed's lock, locks a key that is not revoked until the transaction ends, and answers it; undefined when there
 * is none. By primary key.
 */
export async function lockApiKey(tx: Transaction, id: string): Promise<ApiKeyRow | undefined> {
  const uuid = parseTypeId('key', id)?.toString('hex')
  if (uuid === undefined) return undefined
  await lockApiKeyChanges(tx)
  const { rows } = await tx.query<ApiKeyColumns>(
    `SELECT ${API_KEY_COLUMNS} FROM api_keys k WHERE k.id = $1::uuid AND k.revoked_at IS NULL FOR UPDATE`,
    [uuid],
  )
  return rows[0] === undefined ? undefined : toApiKeyRow(rows[0])
}
