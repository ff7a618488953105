import { Problem } from '@ariftly/http'

/** 409: nothing is made or changed in a tenant while it is being deleted. */
export function tenantDeleting(): Problem {
  return new Problem(409, 'tenant_deleting', { detail: 'The tenant is being deleted: wait until it is gone.' })
}

/** 409: a key that deletes its own tenant could not see the end of the deletion. */
export function ownTenant(): Problem {
  return new Problem(409, 'own_tenant', { detail: 'A key cannot delete its own tenant.' })
}
