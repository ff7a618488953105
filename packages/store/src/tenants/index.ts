export { deletedTenants } from './deleted-tenants.ts'
export {
  deleteTenantSlice,
  nextTenantDeletion,
  passTenantDeletion,
  revokeTenantKeys,
} from './delete-tenant-slice.ts'
export type { TenantDeletion, TenantSlice } from './delete-tenant-slice.ts'
export { deleteTenant, getTenant, listDeletedSince, listTenants, putTenant } from './tenants.ts'
export type { TenantChanges, TenantPlace, TenantRow } from './tenants.ts'
export { readReusedTenants, type ReusedTenant } from './read-reused-tenants.ts'
