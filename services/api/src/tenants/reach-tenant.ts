import { Problem, type Caller } from '@ariftly/http'

/**
 * The tenant that is asked for, by default the caller's own.
 * @throws Problem 403 for another one without the scope `platform`.
 */
export function reachTenant(caller: Caller, tenant: string | undefined): string {
  if (tenant === undefined || tenant === caller.tenant) return caller.tenant
  if (caller.scopes.includes('platform')) return tenant
  throw new Problem(403, 'missing_scope', { detail: 'Another tenant needs the scope `platform`.' })
}
