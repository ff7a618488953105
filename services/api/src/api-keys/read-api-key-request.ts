import { parseTimestamp } from '@ariftly/events'
import { TENANT, TENANT_SHAPE } from '../tenants/tenant-id.ts'
import { isScope, Problem, SCOPES, type ProblemError, type Scope } from '@ariftly/http'

/** The body of `POST /v1/api-keys`. */
export interface ApiKeyRequest {
  readonly name: string
  readonly scopes: readonly Scope[]
  /** Absent: the caller's. */
  readonly tenant: string | undefined
  readonly expiresAtMs: number | null
  readonly quota: { readonly eventsPerS: number | null; readonly bytesPerS: number | null }
}

/** What is wrong, or the value. */
type Read<T> = { readonly value: T } | { readonly errors: readonly ProblemError[] }

/**
 * Reads the body of `POST /v1/api-keys`: Problem 400 without one, 422 that names everything that is wrong, unknown members
 * included. Null is absent.
 */
export function readApiKeyRequest(body: unknown, nowMs: number): ApiKeyRequest {
  if (body === undefined) throw new Problem(400, 'missing_body', { detail: 'Send a JSON object.' })
  if (!isObject(body)) throw invalid([wrong('', 'must be an object')])
  const name = readName(body['name'])
  const scopes = readScopes(body['scopes'])
  const tenant = readTenant(body['tenant'])
  const expiresAtMs = readExpiry(body['expires_at'], nowMs)
  const quota = readQuota(body['quota'])
  const errors = [...unknownMembers(body, MEMBERS, ''), ...errorsOf(name, scopes, tenant, expiresAtMs, quota)]
  if (errors.length > 0 || !ok(name) || !ok(scopes) || !ok(tenant) || !ok(expiresAtMs) || !ok(quota))
    throw invalid(errors)
  return {
    name: name.value,
    scopes: scopes.value,
    tenant: tenant.value,
    expiresAtMs: expiresAtMs.value,
    quota: quota.value,
  }
}

/** The members that `PATCH /v1/api-keys/{id}` changes; absent ones stay. */
export interface ApiKeyChanges {
  readonly name?: string
  /** Takes the place of the whole quota. */
  readonly quota?: ApiKeyRequest['quota']
  readonly expiresAtMs?: number | null
}

/** Reads the body of `PATCH /v1/api-keys/{id}`, with the same problems as {@link readApiKeyRequest}. Null is no quota, no end. */
export function readApiKeyChanges(body: unknown, nowMs: number): ApiKeyChanges {
  if (body === undefined) throw new Problem(400, 'missing_body', { detail: 'Send a JSON object.' })
  if (!isObject(body)) throw invalid([wrong('', 'must be an object')])
  const name = 'name' in body ? readName(body['name']) : undefined
  const quota = 'quota' in body ? readQuota(body['quota']) : undefined
  const expiresAtMs = 'expires_at' in body ? readExpiry(body['expires_at'], nowMs) : undefined
  const reads = [name, quota, expiresAtMs].filter((read) => read !== undefined)
  const errors = [...unknownMembers(body, CHANGEABLE, ''), ...errorsOf(...reads)]
  if (errors.length > 0) throw invalid(errors)
  return {
    ...(name !== undefined && ok(name) ? { name: name.value } : {}),
    ...(quota !== undefined && ok(quota) ? { quota: quota.value } : {}),
    ...(expiresAtMs !== undefined && ok(expiresAtMs) ? { expiresAtMs: expiresAtMs.value } : {}),
  }
}

const CHANGEABLE: readonly string[] = ['name', 'quota', 'expires_at']

/** Reads the body of `POST /v1/api-keys/{id}/rotate`; an empty one asks for the default, and null is absent. */
export function readRotation(body: unknown): { readonly overlapHours: number } {
  if (body === undefined) return { overlapHours: OVERLAP_HOURS }
  if (!isObject(body)) throw invalid([wrong('', 'must be an object')])
  const hours = body['overlap_hours'] ?? OVERLAP_HOURS
  const good = typeof hours === 'number' && hours >= 0 && hours <= OVERLAP_HOURS_MAX
  const errors = [
    ...unknownMembers(body, ['overlap_hours'], ''),
    ...(good ? [] : [wrong('/overlap_hours', `must be a number from 0 to ${OVERLAP_HOURS_MAX}`)]),
  ]
  if (errors.length > 0 || !good) throw invalid(errors)
  return { overlapHours: hours }
}

const OVERLAP_HOURS = 24
const OVERLAP_HOURS_MAX = 168

const MEMBERS: readonly string[] = ['name', 'scopes', 'tenant', 'expires_at', 'quota']

function readName(value: unknown): Read<string> {
  // Visible text; control characters would spoil logs and terminals.
  const good = typeof value === 'string' && value.length >= 1 && value.length <= 128 && !/[\p{Cc}\p{Cs}]/u.test(value)
  if (value === undefined || value === null) return { errors: [missing('/name')] }
  return good ? { value } : refuse('/name', 'must be a text of 1 to 128 characters without control characters')
}

function readScopes(value: unknown): Read<readonly Scope[]> {
  if (value === undefined || value === null) return { errors: [missing('/scopes')] }
  if (!Array.isArray(value) || value.length === 0) return refuse('/scopes', `must be a list of ${SCOPES.join(', ')}`)
  const scopes = new Set<Scope>()
  const errors: ProblemError[] = []
  for (const [index, item] of (value as readonly unknown[]).entries()) {
    if (typeof item !== 'string' || !isScope(item))
      errors.push(wrong(`/scopes/${index}`, `must be one of ${SCOPES.join(', ')}`))
    else if (scopes.has(item)) errors.push(wrong(`/scopes/${index}`, 'stands twice'))
    else scopes.add(item)
    if (errors.length >= 10) break
  }
  return errors.length > 0 ? { errors } : { value: [...scopes] }
}

function readTenant(value: unknown): Read<string | undefined> {
  if (value === undefined || value === null) return { value: undefined }
  const good = typeof value === 'string' && TENANT.test(value)
  return good ? { value } : refuse('/tenant', `must be ${TENANT_SHAPE}`)
}

function readExpiry(value: unknown, nowMs: number): Read<number | null> {
  if (value === undefined || value === null) return { value: null }
  const ms = typeof value === 'string' ? parseTimestamp(value)?.ms : undefined
  if (ms === undefined) return refuse('/expires_at', 'must be an ISO 8601 date and time')
  return ms > nowMs ? { value: ms } : refuse('/expires_at', 'must be in the future')
}

function readQuota(value: unknown): Read<ApiKeyRequest['quota']> {
  if (value === undefined || value === null) return { value: { eventsPerS: null, bytesPerS: null } }
  if (!isObject(value)) return refuse('/quota', 'must be an object')
  const eventsPerS = readRate(value['events_per_s'], '/quota/events_per_s', 2 ** 31 - 1)
  const bytesPerS = readRate(value['bytes_per_s'], '/quota/bytes_per_s', Number.MAX_SAFE_INTEGER)
  const errors = [
    ...unknownMembers(value, ['events_per_s', 'bytes_per_s'], '/quota'),
    ...errorsOf(eventsPerS, bytesPerS),
  ]
  if (errors.length > 0 || !ok(eventsPerS) || !ok(bytesPerS)) return { errors }
  return { value: { eventsPerS: eventsPerS.value, bytesPerS: bytesPerS.value } }
}

function readRate(value: unknown, pointer: string, max: number): Read<number | null> {
  if (value === undefined || value === null) return { value: null }
  const good = typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= max
  return good ? { value } : refuse(pointer, `must be a whole number from 1 to ${max}`)
}

function unknownMembers(body: Record<string, unknown>, known: readonly string[], at: string): readonly ProblemError[] {
  return Object.keys(body)
    .filter((name) => !known.includes(name))
    .slice(0, 10)
    .map((name) => ({
      pointer: `${at}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
      code: 'unknown_member',
      message: `is not a member here; there are: ${known.join(', ')}`,
    }))
}

function ok<T>(read: Read<T>): read is { readonly value: T } {
  return 'value' in read
}

function errorsOf(...reads: readonly Read<unknown>[]): readonly ProblemError[] {
  return reads.flatMap((read) => ('errors' in read ? read.errors : []))
}

function refuse(pointer: string, message: string): { readonly errors: readonly ProblemError[] } {
  return { errors: [wrong(pointer, message)] }
}

function missing(pointer: string): ProblemError {
  return { pointer, code: 'required', message: 'is required' }
}

function wrong(pointer: string, message: string): ProblemError {
  return { pointer, code: 'invalid_value', message }
}

function invalid(errors: readonly ProblemError[]): Problem {
  return new Problem(422, 'invalid_body', { detail: 'The API key cannot be made or changed like this.', errors })
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
