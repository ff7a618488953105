import { uuidToTypeId } from '@ariftly/events'

/** An API key as it is stored; the key itself is not. */
export interface ApiKeyRow {
  /** `key_…`. */
  readonly id: string
  readonly tenant: string
  readonly name: string
  readonly scopes: readonly string[]
  /** Null is no limit. */
  readonly quota: { readonly eventsPerS: number | null; readonly bytesPerS: number | null }
  readonly expiresAtMs: number | null
  readonly createdAtMs: number
  /** A whole minute; null before the first use. */
  readonly lastUsedAtMs: number | null
  readonly revokedAtMs: number | null
}

/** The columns that `toApiKeyRow` reads. */
export const API_KEY_COLUMNS = `k.id, k.tenant_id, k.name, k.scopes, k.quota_events_per_s, k.quota_bytes_per_s, k.expires_at,
  k.created_at, k.last_used_at, k.revoked_at`

/** A row of `API_KEY_COLUMNS` (of `api_keys k`) as pg hands it over. */
export interface ApiKeyColumns {
  readonly id: string
  readonly tenant_id: string
  readonly name: string
  readonly scopes: readonly string[]
  readonly quota_events_per_s: number | null
  readonly quota_bytes_per_s: number | null
  readonly expires_at: Date | null
  readonly created_at: Date
  readonly last_used_at: Date | null
  readonly revoked_at: Date | null
}

/** Turns columns into the row that code works with. */
export function toApiKeyRow(columns: ApiKeyColumns): ApiKeyRow {
  return {
    id: uuidToTypeId('key', columns.id),
    tenant: columns.tenant_id,
    name: columns.name,
    scopes: columns.scopes,
    quota: { eventsPerS: columns.quota_events_per_s, bytesPerS: columns.quota_bytes_per_s },
    expiresAtMs: columns.expires_at?.getTime() ?? null,
    createdAtMs: columns.created_at.getTime(),
    lastUsedAtMs: columns.last_used_at?.getTime() ?? null,
    revokedAtMs: columns.revoked_at?.getTime() ?? null,
  }
}
