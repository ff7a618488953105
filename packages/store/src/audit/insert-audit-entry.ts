import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import type { AuditEntry } from './list-audit-entries.ts'

/**
 * Adds an entry to the audit log, in the transaction of the change that it is about. An update that the same key makes of the same
 * target within a minute of a first one is counted in the first one's entry.
 */
export async function insertAuditEntry(db: Queryable, entry: Omit<AuditEntry, 'atMs' | 'count'>): Promise<void> {
  await db.query(
    `WITH counted AS MATERIALIZED (SELECT count_repeated_update($3, $2::uuid, $4, $5) AS is_repeated)
     INSERT INTO audit_entries (id, key_id, tenant_id, action, target, request_id)
     SELECT $1::uuid, $2::uuid, $3, $4, $5, $6 FROM counted WHERE NOT is_repeated`,
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
