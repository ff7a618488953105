/** What a key may do. `admin` manages keys of its own tenant, `platform` keys of any tenant. */
export type Scope = 'events:write' | 'events:read' | 'webhooks' | 'admin' | 'platform'

/** All scopes, in the order of the documentation. */
export const SCOPES: readonly Scope[] = ['events:write', 'events:read', 'webhooks', 'admin', 'platform']

/** Whether a text is a scope. */
export function isScope(text: string): text is Scope {
  return (SCOPES as readonly string[]).includes(text)
}

/** The identity of a valid API key. One object for each cached secret of a key. */
export interface Caller {
  readonly keyId: string
  /** The number of the secret that was sent: 1 for the first; each rotation adds 1. */
  readonly secret: number
  readonly tenant: string
  readonly scopes: readonly Scope[]
  /** Over all replicas; null is no limit. */
  readonly quota: { readonly eventsPerS: number | null; readonly bytesPerS: number | null }
  /** The limits of the tenant, over all its keys and all replicas; null is the default. */
  readonly limits: {
    readonly eventsPerS: number | null
    readonly streams: number | null
    readonly webhooks: number | null
  }
  /** The tenant is being deleted, or is suspended and the key has no scope `platform`. */
  readonly suspended: boolean
  /** The end of the key, epoch milliseconds; null is no end. */
  readonly expiresAtMs: number | null
  /** When the secret ends: with the key, or with a rotation's overlap before that. */
  readonly endsAtMs: number | null
}

/** Whether the caller has the scope; `any` asks for a valid key only, and `platform` may do what `admin` may. */
export function hasScope(caller: Caller, scope: Scope | 'any'): boolean {
  if (scope === 'any' || caller.scopes.includes(scope)) return true
  return scope === 'admin' && caller.scopes.includes('platform')
}
