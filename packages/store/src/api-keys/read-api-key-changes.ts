import { uuidToTypeId } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'

/** An entry of the feed. */
export interface ApiKeyChange {
  readonly seq: number
  /** `key_…`. */
  readonly keyId: string
  readonly kind: 'revoked'
}

/** The entries after a number, and how far the feed goes. */
export interface ApiKeyChanges {
  /** Number of the last entry; 0 when there is none. */
  readonly latestSeq: number
  readonly changes: readonly ApiKeyChange[]
}

/**
 * Entries after `afterSeq`, oldest first, at most `limit` (default 1,000), with the feed's last number in one snapshot. By
 * primary key; it costs next to nothing when there is nothing new.
 */
export async function readApiKeyChanges(
  db: Queryable,
  o: { readonly afterSeq: number; readonly limit?: number },
): Promise<ApiKeyChanges> {
  const { rows } = await db.query<ChangeColumns>({
    name: 'read-api-key-changes',
    text: `SELECT latest.seq AS latest_seq, change.seq, change.api_key_id, change.kind
           FROM (SELECT coalesce(max(seq), 0) AS seq FROM api_key_changes) latest
           LEFT JOIN LATERAL (
             SELECT seq, api_key_id, kind FROM api_key_changes WHERE seq > $1 ORDER BY seq LIMIT $2) change ON true
           ORDER BY change.seq`,
    values: [o.afterSeq, o.limit ?? 1000],
  })
  const changes = rows.flatMap(({ seq, api_key_id, kind }) =>
    seq === null || api_key_id === null || kind === null ? [] : [{ seq, keyId: uuidToTypeId('key', api_key_id), kind }],
  )
  return { latestSeq: rows[0]?.latest_seq ?? 0, changes }
}

interface ChangeColumns {
  readonly latest_seq: number
  readonly seq: number | null
  readonly api_key_id: string | null
  readonly kind: 'revoked' | null
}
