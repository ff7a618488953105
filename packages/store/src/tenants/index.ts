export { deletedTenants, isNotDeleted, isServed, isWebhookKept } from './deleted-tenants.ts'
export { recordTenantChange } from './record-tenant-change.ts'
export type { TenantState } from './record-tenant-change.ts'
