import { Problem } from '@ariftly/http'

/** The tenant of the bootstrap key. */
export const BOOTSTRAP_TENANT = 'default'

/** 409: nothing is made or changed in a tenant that is being deleted or was deleted. */
export function tenantDeleted(state: 'deleting' | 'deleted'): Problem {
  return state === 'deleting'
    ? new Problem(409, 'tenant_deleting', { detail: 'The tenant is being deleted.' })
    : new Problem(409, 'tenant_deleted', { detail: 'The tenant was deleted: its id is never given again.' })
}

/** 409: a key that deletes its own tenant could not see the end of the deletion; without `default` there is no bootstrap key. */
export function ownTenant(detail: string): Problem {
  return new Problem(409, 'own_tenant', { detail })
}
