import { uuidToTypeId } from '@ariftly/events'
import type { Queryable, Transaction } from '../queryable.ts'
import { callFunction } from '../prepared.ts'

/**
 * Takes the feed's lock until the transaction ends. Every writer of the feed takes it in a statement of its own, before it
 * locks a row and before its entry's number is drawn, so numbers become visible in their order. The trigger on new keys
 * takes the same one.
 */
export async function lockApiKeyChanges(tx: Transaction): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock($1)', [CHANGES_LOCK])
}

/** Also in `guard_new_api_key`. */
const CHANGES_LOCK = 5_170_233_911

/** The number of the feed's last entry, 0 when there is none: where a process that has cached nothing begins to read. */
export async function latestApiKeyChange(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ seq: number }>('SELECT coalesce(max(seq), 0) AS seq FROM api_key_changes')
  return rows[0]?.seq ?? 0
}

/** An entry of the feed, in order of `seq`. */
export type ApiKeyChange = { readonly seq: number } & (KeyChange | TenantChange)

interface KeyChange {
  /** `revoked`: the key has stopped. `updated`: its quota or end changed. `rotated`: one of its secrets stops at `endsAtMs`. */
  readonly kind: 'revoked' | 'updated' | 'rotated'
  /** `key_…` */
  readonly keyId: string
  /** Of `rotated`: the number of the secret that was replaced; otherwise null. */
  readonly secret: number | null
  /** With `updated` the key's new end, with `rotated` the secret's. Null: it does not end. */
  readonly endsAtMs: number | null
}

interface TenantChange {
  /**
   * `tenant_suspended`: the tenant has stopped, but for keys with the scope `platform`; `tenant_deleted`: with them;
   * `tenant_updated`: its limits changed, or it is active again.
   */
  readonly kind: 'tenant_updated' | 'tenant_suspended' | 'tenant_deleted'
  readonly tenant: string
}

/** The entries after a number, and the number of the feed's last one. */
export interface ApiKeyChanges {
  /** Number of the last entry; 0 when there is none. */
  readonly latestSeq: number
  /** Number of the last entry that was removed; 0 when none was. */
  readonly removedSeq: number
  /** In order of `seq`; may be a first part only. */
  readonly changes: readonly ApiKeyChange[]
}

/**
 * Entries after `afterSeq`, oldest first, at most `limit` (default 1,000), with both ends of the feed in one snapshot. By
 * primary key; it costs next to nothing when there is nothing new.
 */
export async function readApiKeyChanges(
  db: Queryable,
  o: { readonly afterSeq: number; readonly limit?: number },
): Promise<ApiKeyChanges> {
  const { rows } = await db.query<ChangeColumns>({
    name: 'read-api-key-changes',
    text: `SELECT feed.latest_seq, feed.removed_seq, change.seq, change.api_key_id, change.tenant_id, change.kind,
                  change.secret_number, change.ends_at
           FROM (SELECT coalesce((SELECT max(seq) FROM api_key_changes), 0) AS latest_seq, removed_to AS removed_seq
                   FROM api_key_feed) feed
           LEFT JOIN LATERAL (
             SELECT * FROM api_key_changes WHERE seq > $1 ORDER BY seq LIMIT $2) change ON true
           ORDER BY change.seq`,
    values: [o.afterSeq, o.limit ?? 1000],
  })
  const { latest_seq: latestSeq = 0, removed_seq: removedSeq = 0 } = rows[0] ?? {}
  return { latestSeq, removedSeq, changes: rows.flatMap(changeOf) }
}

function changeOf(columns: ChangeColumns): readonly ApiKeyChange[] {
  const { seq, api_key_id, tenant_id: tenant, kind, secret_number: secret, ends_at } = columns
  if (seq === null || kind === null) return []
  if (isTenantKind(kind)) return tenant === null ? [] : [{ seq, kind, tenant }]
  if (api_key_id === null) return []
  return [{ seq, kind, keyId: uuidToTypeId('key', api_key_id), secret, endsAtMs: ends_at?.getTime() ?? null }]
}

function isTenantKind(kind: ApiKeyChange['kind']): kind is TenantChange['kind'] {
  return kind.startsWith('tenant_')
}

interface ChangeColumns {
  readonly latest_seq: number
  readonly removed_seq: number
  readonly seq: number | null
  readonly api_key_id: string | null
  readonly tenant_id: string | null
  readonly kind: ApiKeyChange['kind'] | null
  readonly secret_number: number | null
  readonly ends_at: Date | null
}

/** Removes at most `rowsMax` entries of the feed that are older than a day, but for the newest one. Gives how many. By primary key. */
export async function deleteExpiredApiKeyChanges(db: Queryable, rowsMax: number): Promise<number> {
  return await callFunction(db, 'delete_expired_api_key_changes', [rowsMax])
}
