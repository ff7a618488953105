import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import type { AuditEntry } from './list-audit-entries.ts'

/** Adds an entry to the audit log, in the transaction of the change that it tells of. */
export async function insertAuditEntry(db: Queryable, entry: Omit<AuditEntry, 'atMs'>): Promise<void> {
  await db.query(
    `INSERT INTO audit_entries (id, key_id, tenant_id, action, target, request_id)
     VALUES ($1::uuid, $2::uuid, $3, $4, $5, $6)`,
    [
      typeIdToUuid('aud', entry.id),
      typeIdToUuid('key', entry.keyId),
      entry.tenant,
      entry.action,
      entry.target,
      entry.requestId,
    ],
  )
}
