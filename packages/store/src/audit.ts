import { typeIdMs } from '@ariftly/events'
import { defineRow, plain, tenant, typeId, type RowOf } from './define-row.ts'
import { idBounds } from './id-bounds.ts'
import { callFunction, prepared } from './prepared.ts'
import type { Queryable } from './queryable.ts'

const entryRow = defineRow('a', {
  /** `aud_…`; its millisecond is the moment of the change. */
  id: typeId('aud'),
  /** The key that called, `key_…`. */
  keyId: typeId('key'),
  /** The target's tenant. */
  tenant,
  action: plain<string>(),
  /** The id of the changed object. */
  target: plain<string>(),
  requestId: plain<string>(),
  /** Number of updates in the entry; `id` and `requestId` are of the first one. */
  count: plain<number>(),
  /** JSON array of what changed, as the API shows it. Of several updates `before` is the first one's, `after` the last one's. */
  changes: plain<string>({ sql: 'a.changes::text' }),
})

/** One change that a key has made. */
export interface AuditEntry extends RowOf<typeof entryRow> {
  readonly atMs: number
}

/**
 * Adds an entry to the audit log, in the transaction of the change that it is about. An update that the same key makes of the same
 * target within a minute of a first one is counted in the first one's entry if it changes the same members, none of them a state.
 */
export async function insertAuditEntry(db: Queryable, entry: Omit<AuditEntry, 'atMs' | 'count'>): Promise<void> {
  await db.query(
    `WITH counted AS MATERIALIZED (SELECT count_repeated_update($3, $2::uuid, $4, $5, $7::jsonb) AS is_repeated)
     INSERT INTO audit_entries (id, key_id, tenant_id, action, target, request_id, changes)
     SELECT $1::uuid, $2::uuid, $3, $4, $5, $6, $7::jsonb FROM counted WHERE NOT is_repeated`,
    entryRow.write(entry).values,
  )
}

/** Which entries to list. */
export interface ListAuditEntriesOptions {
  readonly tenant: string
  /** Inclusive. */
  readonly fromMs?: number
  /** Exclusive. */
  readonly beforeMs?: number
  readonly action?: string
  /** Only those older than this id (`aud_…`). */
  readonly cursorId?: string
  readonly limit: number
}

const OF_TENANT = { columns: 'tenant_id', values: '$1', order: 'tenant_id DESC' } as const
const OF_ACTION = { columns: 'tenant_id, action', values: '$1, $5', order: 'tenant_id DESC, action DESC' } as const

/**
 * Entries of a tenant, newest first. By audit_entries_tenant, or audit_entries_action when there is an action: no other index has
 * the order.
 */
export async function listAuditEntries(db: Queryable, o: ListAuditEntriesOptions): Promise<readonly AuditEntry[]> {
  const { fromMs, ...window } = o
  const { low, high } = idBounds('aud', {
    ...window,
    order: 'desc',
    // The lower bound of the window is exclusive.
    ...(fromMs === undefined ? {} : { afterMs: fromMs - 1 }),
  })
  const { columns, values, order } = o.action === undefined ? OF_TENANT : OF_ACTION
  const { rows } = await db.query(
    prepared(
      `SELECT ${entryRow.columns} FROM audit_entries a
        WHERE (${columns}, id) >= (${values}, $2::uuid) AND (${columns}, id) < (${values}, $3::uuid)
        ORDER BY ${order}, id DESC LIMIT $4`,
      [o.tenant, low, high, o.limit, ...(o.action === undefined ? [] : [o.action])],
    ),
  )
  return rows.map((stored) => {
    const entry = entryRow.read(stored)
    return { ...entry, atMs: typeIdMs('aud', entry.id) ?? 0 }
  })
}

/** Removes at most `rowsMax` entries that are older than 400 days; answers how many it removed. By primary key. */
export async function deleteExpiredAuditEntries(db: Queryable, rowsMax: number): Promise<number> {
  return await callFunction(db, 'delete_expired_audit_entries', [rowsMax])
}
