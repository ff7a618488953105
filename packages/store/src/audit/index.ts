export { deleteExpiredAuditEntries } from './delete-expired-audit-entries.ts'
export { insertAuditEntry } from './insert-audit-entry.ts'
export { listAuditEntries } from './list-audit-entries.ts'
export type { AuditEntry, ListAuditEntriesOptions } from './list-audit-entries.ts'
