/** What a key may do. `admin` manages keys of its own tenant, `platform` those of any. */
export type Scope = 'events:write' | 'events:read' | 'webhooks' | 'admin' | 'platform'

/** All scopes, in the order of the documentation. */
export const SCOPES: readonly Scope[] = ['events:write', 'events:read', 'webhooks', 'admin', 'platform']

/** Whether a text is a scope. */
export function isScope(text: string): text is Scope {
  return (SCOPES as readonly string[]).includes(text)
}

/** Who calls: what a valid API key stands for. One object for each cached key, so it can key a WeakMap. */
export interface Caller {
  readonly keyId: string
  readonly tenant: string
  readonly scopes: readonly Scope[]
  /** Before the division by QUOTA_SHARES; null is no limit. */
  readonly quota: { readonly eventsPerS: number | null; readonly bytesPerS: number | null }
  readonly expiresAtMs: number | null
}

/** Whether the caller has the scope; `any` asks for a valid key only, and `platform` may do what `admin` may. */
export function hasScope(caller: Caller, scope: Scope | 'any'): boolean {
  if (scope === 'any' || caller.scopes.includes(scope)) return true
  return scope === 'admin' && caller.scopes.includes('platform')
}
