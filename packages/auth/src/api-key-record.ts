import { isScope, type Caller } from '@ariftly/http'

/** A stored API key and one of its secrets, as the look-up gives them; also when they have ended. */
export interface ApiKeyRecord {
  /** `key_…`. */
  readonly id: string
  readonly tenant: string
  readonly scopes: readonly string[]
  readonly quota: Caller['quota']
  readonly limits: Caller['limits']
  readonly tenantState: 'active' | 'suspended' | 'deleting' | 'deleted'
  readonly expiresAtMs: number | null
  readonly revokedAtMs: number | null
  /** The number of the secret that was looked up. */
  readonly secret: number
  /** When that secret stops, if a rotation has replaced it. */
  readonly secretEndsAtMs: number | null
}

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
