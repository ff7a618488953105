import { Problem, type Caller, type ProblemError, type Scope } from '@ariftly/http'

/** What a key may do, how much, and until when. */
export interface Grant {
  readonly scopes: readonly string[]
  /** Null is no limit. */
  readonly quota: Caller['quota']
  /** Epoch milliseconds; null is no end. */
  readonly expiresAtMs: number | null
}

/**
 * Refuses a grant beyond the caller's own: a scope that the caller does not have (`admin` implies the three for the tenant's
 * data), a larger quota, a later end.
 * @throws Problem 403 `not_yours_to_give` that names each member.
 */
export function refuseExcess(caller: Caller, grant: Grant): void {
  const errors = [...excessScopes(caller, grant.scopes), ...excessTerms(caller, grant)]
  if (errors.length > 0) throw notYours('A key gives no scope, quota or end beyond its own.', errors)
}

/**
 * Refuses to revoke a key with a scope that the caller does not have.
 * @throws Problem 403 `not_yours_to_give`.
 */
export function refuseForeignScopes(caller: Caller, target: Pick<Grant, 'scopes'>): void {
  if (excessScopes(caller, target.scopes).length > 0) throw notYours('The key has scopes that yours does not have.')
}

/**
 * Refuses to change or rotate a key with a scope that the caller does not have, a larger quota or a later end.
 * @throws Problem 403 `not_yours_to_give`.
 */
export function refuseForeignKey(caller: Caller, target: Grant): void {
  refuseForeignScopes(caller, target)
  if (excessTerms(caller, target).length > 0) throw notYours('The key has a larger quota or a later end than yours.')
}

function notYours(detail: string, errors?: readonly ProblemError[]): Problem {
  return new Problem(403, 'not_yours_to_give', { detail, ...(errors === undefined ? {} : { errors }) })
}

/** The errors of scopes that the caller does not hold. */
function excessScopes(caller: Caller, scopes: readonly string[]): readonly ProblemError[] {
  const held = new Set<string>(caller.scopes)
  if (held.has('admin')) for (const scope of IMPLIED_BY_ADMIN) held.add(scope)
  return scopes.flatMap((scope, index) =>
    held.has(scope) ? [] : [excess(`/scopes/${index}`, `your key does not hold \`${scope}\``)],
  )
}

const IMPLIED_BY_ADMIN: readonly Scope[] = ['events:write', 'events:read', 'webhooks']

function excessTerms({ quota: own, expiresAtMs }: Caller, grant: Omit<Grant, 'scopes'>): readonly ProblemError[] {
  return [
    ...excessRate('/quota/events_per_s', own.eventsPerS, grant.quota.eventsPerS),
    ...excessRate('/quota/bytes_per_s', own.bytesPerS, grant.quota.bytesPerS),
    ...excessEnd(expiresAtMs, grant.expiresAtMs),
  ]
}

function excessRate(pointer: string, own: number | null, given: number | null): readonly ProblemError[] {
  if (own === null || (given !== null && given <= own)) return []
  return [excess(pointer, `must be at most ${own}, the quota of your key`)]
}

function excessEnd(own: number | null, given: number | null): readonly ProblemError[] {
  if (own === null || (given !== null && given <= own)) return []
  return [excess('/expires_at', `must be at most ${new Date(own).toISOString()}, the end of your key`)]
}

function excess(pointer: string, message: string): ProblemError {
  return { pointer, code: 'not_yours_to_give', message }
}
