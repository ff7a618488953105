import { Problem, type Caller, type ProblemError, type Scope } from '@ariftly/http'

/** What a key may do, how much, and until when. */
interface Grant {
  readonly scopes: readonly string[]
  /** Null is no limit. */
  readonly quota: Caller['quota']
  /** Epoch milliseconds; null is no end. */
  readonly expiresAtMs: number | null
}

/**
 * Refuses a grant that is beyond the caller's own: a scope that it lacks (`admin` implies the three that work with the
 * tenant's data), a larger quota, a later end.
 * @throws Problem 403 `not_yours_to_give` that names each member.
 */
export function refuseExcess(caller: Caller, grant: Grant): void {
  const errors = [
    ...excessScopes(caller, grant.scopes),
    ...excessQuota(caller, grant.quota),
    ...excessEnd(caller, grant),
  ]
  if (errors.length === 0) return
  throw new Problem(403, 'not_yours_to_give', {
    detail: 'A key gives no scope, quota or end beyond its own.',
    errors,
  })
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

function excessQuota({ quota: own }: Caller, quota: Grant['quota']): readonly ProblemError[] {
  return [
    ...excessRate('/quota/events_per_s', own.eventsPerS, quota.eventsPerS),
    ...excessRate('/quota/bytes_per_s', own.bytesPerS, quota.bytesPerS),
  ]
}

function excessRate(pointer: string, own: number | null, given: number | null): readonly ProblemError[] {
  if (own === null || (given !== null && given <= own)) return []
  return [excess(pointer, `must be at most ${own}, the quota of your key`)]
}

function excessEnd({ expiresAtMs: own }: Caller, { expiresAtMs: given }: Grant): readonly ProblemError[] {
  if (own === null || (given !== null && given <= own)) return []
  return [excess('/expires_at', `must be at most ${new Date(own).toISOString()}, the end of your key`)]
}

function excess(pointer: string, message: string): ProblemError {
  return { pointer, code: 'not_yours_to_give', message }
}
