import type { Transaction } from '../queryable.ts'

/** Where a tenant is: `active` and `suspended` follow each other, `deleting` ends in `deleted` for good. */
export type TenantState = 'active' | 'suspended' | 'deleting' | 'deleted'

/**
 * Announces a tenant's change to every process through the key feed, in the caller's transaction, which holds the feed's lock
 * (`lockApiKeyChanges`): its keys are looked up again, and if it has stopped their streams end. Keys with the scope `platform`
 * stop only when their tenant is deleted. One entry, however many keys the tenant has.
 */
export async function recordTenantChange(tx: Transaction, tenant: string, state: TenantState): Promise<void> {
  await tx.query('INSERT INTO api_key_changes (tenant_id, kind) VALUES ($1, $2)', [tenant, kindOf(state)])
}

function kindOf(state: TenantState): 'tenant_updated' | 'tenant_suspended' | 'tenant_deleted' {
  switch (state) {
    case 'active':
      return 'tenant_updated'
    case 'suspended':
      return 'tenant_suspended'
    case 'deleting':
    case 'deleted':
      return 'tenant_deleted'
  }
}
