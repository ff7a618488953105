import { Problem } from '@ariftly/http'

/** 409: nothing is made or changed in a tenant while it is being deleted. */
export function tenantDeleting(): Problem {
  return new Problem(409, 'tenant_deleting', { detail: 'The tenant is being deleted: wait until it is gone.' })
}
