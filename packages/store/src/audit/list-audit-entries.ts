import { typeIdMs, uuidToTypeId } from '@ariftly/events'
import { idBounds } from '../id-bounds.ts'
import { prepared } from '../prepared.ts'
import type { Queryable } from '../queryable.ts'

/** One change that a key has made. */
export interface AuditEntry {
  /** `aud_…`; its millisecond is the moment of the change. */
  readonly id: string
  readonly atMs: number
  /** The key that called, `key_…`. */
  readonly keyId: string
  /** The target's tenant. */
  readonly tenant: string
  readonly action: string
  /** The id of what was changed. */
  readonly target: string
  readonly requestId: string
  /** Updates that the entry stands for; `id` and `requestId` are of the first one. */
  readonly count: number
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

/** Entries of a tenant, newest first. By audit_entries_tenant, or audit_entries_action when there is an action. */
export async function listAuditEntries(db: Queryable, o: ListAuditEntriesOptions): Promise<readonly AuditEntry[]> {
  const { fromMs, ...window } = o
  const { low, high } = idBounds('aud', {
    ...window,
    order: 'desc',
    // The lower bound of the window is exclusive.
    ...(fromMs === undefined ? {} : { afterMs: fromMs - 1 }),
  })
  const byAction = o.action === undefined ? '' : 'AND action = $5'
  const { rows } = await db.query<AuditColumns>(
    prepared(
      `SELECT id, key_id, tenant_id, action, target, request_id, count FROM audit_entries
        WHERE tenant_id = $1 AND id >= $2::uuid AND id < $3::uuid ${byAction}
        ORDER BY id DESC LIMIT $4`,
      [o.tenant, low, high, o.limit, ...(o.action === undefined ? [] : [o.action])],
    ),
  )
  return rows.map(toAuditEntry)
}

interface AuditColumns {
  readonly id: string
  readonly key_id: string
  readonly tenant_id: string
  readonly action: string
  readonly target: string
  readonly request_id: string
  readonly count: number
}

function toAuditEntry(columns: AuditColumns): AuditEntry {
  const id = uuidToTypeId('aud', columns.id)
  return {
    id,
    atMs: typeIdMs('aud', id) ?? 0,
    keyId: uuidToTypeId('key', columns.key_id),
    tenant: columns.tenant_id,
    action: columns.action,
    target: columns.target,
    requestId: columns.request_id,
    count: columns.count,
  }
}
