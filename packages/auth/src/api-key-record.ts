import { isScope, type Caller } from '@ariftly/http'
import type { ApiKeySecret } from '@ariftly/store/api-keys'

/** A stored API key and one of its secrets, as the look-up gives them; also when they have ended. */
export type ApiKeyRecord = Omit<ApiKeySecret, 'name' | 'createdAtMs' | 'lastUsedAtMs'>

/** The caller that a stored key identifies; undefined for one that has ended (401). */
export function callerOf(record: ApiKeyRecord, nowMs: number): Caller | undefined {
  const { id, secret, tenant, scopes, quota, limits, tenantState, expiresAtMs, revokedAtMs, secretEndsAtMs } = record
  const endsAtMs = earlier(expiresAtMs, secretEndsAtMs)
  if (revokedAtMs !== null || (endsAtMs !== null && endsAtMs <= nowMs)) return undefined
  const isDeleted = tenantState === 'deleting' || tenantState === 'deleted'
  return {
    keyId: id,
    secret,
    tenant,
    scopes: scopes.filter(isScope),
    quota,
    limits,
    suspended: isDeleted || (tenantState === 'suspended' && !scopes.includes('platform')),
    expiresAtMs,
    endsAtMs,
  }
}

function earlier(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other
  return Math.min(one, other)
}
