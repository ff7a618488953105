import { uuidToTypeId } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'

/** An entry of the feed; what the kinds mean stands in the migration that adds them. */
export interface ApiKeyChange {
  readonly seq: number
  /** `key_…`. */
  readonly keyId: string
  readonly kind: 'revoked' | 'suspended' | 'updated' | 'rotated'
  /** Of `rotated`: the secret that was replaced; else null. */
  readonly secret: number | null
  /** Of `updated` and `rotated`; null is no end. */
  readonly endsAtMs: number | null
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
    text: `SELECT latest.seq AS latest_seq, change.seq, change.api_key_id, change.kind, change.secret_number, change.ends_at
           FROM (SELECT coalesce(max(seq), 0) AS seq FROM api_key_changes) latest
           LEFT JOIN LATERAL (
             SELECT * FROM api_key_changes WHERE seq > $1 ORDER BY seq LIMIT $2) change ON true
           ORDER BY change.seq`,
    values: [o.afterSeq, o.limit ?? 1000],
  })
  return { latestSeq: rows[0]?.latest_seq ?? 0, changes: rows.flatMap(changeOf) }
}

function changeOf({ seq, api_key_id, kind, secret_number, ends_at }: ChangeColumns): readonly ApiKeyChange[] {
  if (seq === null || api_key_id === null || kind === null) return []
  const keyId = uuidToTypeId('key', api_key_id)
  return [{ seq, keyId, kind, secret: secret_number, endsAtMs: ends_at?.getTime() ?? null }]
}

interface ChangeColumns {
  readonly latest_seq: number
  readonly seq: number | null
  readonly api_key_id: string | null
  readonly kind: ApiKeyChange['kind'] | null
  readonly secret_number: number | null
  readonly ends_at: Date | null
}
