/** What a tenant's id is like. */
export const TENANT = /^[a-z0-9-]{1,64}$/

/** {@link TENANT} in words, as the end of "must be …". */
export const TENANT_SHAPE = '1 to 64 characters of a-z 0-9 -'
