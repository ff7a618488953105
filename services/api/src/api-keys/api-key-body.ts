import {
  apiKeyChangesSchema,
  createBodyReader,
  invalidBody,
  newApiKeyRequestSchema,
  rotateApiKeySchema,
} from '@ariftly/contract'
import { parseInstant, type Scope } from '@ariftly/http'

/** The body of `POST /v1/api-keys`. */
export interface ApiKeyRequest {
  readonly name: string
  readonly scopes: readonly Scope[]
  /** Absent: the caller's. */
  readonly tenant: string | undefined
  /** Epoch milliseconds; null is no end. */
  readonly expiresAtMs: number | null
  readonly quota: { readonly eventsPerS: number | null; readonly bytesPerS: number | null }
}

const readNew = createBodyReader(newApiKeyRequestSchema)
const readChanges = createBodyReader(apiKeyChangesSchema, { nulls: 'kept' })
const readRotationBody = createBodyReader(rotateApiKeySchema, { optional: true })

/** Reads the body of `POST /v1/api-keys`; null means absent. @throws Problem 422 that names the faults. */
export function readApiKeyRequest(body: unknown, nowMs: number): ApiKeyRequest {
  const { name, scopes, tenant, expires_at: expiresAt = null, quota = null } = readNew(body)
  return { name, scopes, tenant, expiresAtMs: expiryOf(expiresAt, nowMs), quota: quotaOf(quota) }
}

/** The members that `PATCH /v1/api-keys/{id}` changes; absent ones stay. */
export interface ApiKeyChanges {
  readonly name?: string
  /** Replaces the whole quota. */
  readonly quota?: ApiKeyRequest['quota']
  readonly expiresAtMs?: number | null
}

/** Reads the body of `PATCH /v1/api-keys/{id}`. Null is no quota, no end. @throws Problem 422 that names the faults. */
export function readApiKeyChanges(body: unknown, nowMs: number): ApiKeyChanges {
  const { name, expires_at: expiresAt, quota } = readChanges(body)
  return {
    ...(name === undefined ? {} : { name }),
    ...(quota === undefined ? {} : { quota: quotaOf(quota) }),
    ...(expiresAt === undefined ? {} : { expiresAtMs: expiryOf(expiresAt, nowMs) }),
  }
}

/** Reads the body of `POST /v1/api-keys/{id}/rotate`; none asks for the default. */
export function readRotation(body: unknown): { readonly overlapHours: number } {
  const { overlap_hours: overlapHours = OVERLAP_HOURS } = readRotationBody(body)
  return { overlapHours }
}

const OVERLAP_HOURS = 24

function expiryOf(text: string | null, nowMs: number): number | null {
  if (text === null) return null
  const ms = parseInstant(text)?.floorMs ?? 0
  if (ms > nowMs) return ms
  throw invalidBody([{ pointer: '/expires_at', code: 'out_of_range', message: 'must be in the future' }])
}

function quotaOf(
  quota: { readonly events_per_s?: number | null; readonly bytes_per_s?: number | null } | null,
): ApiKeyRequest['quota'] {
  return { eventsPerS: quota?.events_per_s ?? null, bytesPerS: quota?.bytes_per_s ?? null }
}
