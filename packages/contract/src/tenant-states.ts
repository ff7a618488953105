/** States of a tenant. `deleted` is the last one. */
export const TENANT_STATES = ['active', 'suspended', 'deleting', 'deleted'] as const
