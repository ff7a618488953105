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
  readonly revokedAtMs: number | null
}

/** The columns that `toApiKeyRow` reads. */
export const API_KEY_COLUMNS =
  'id, tenant_id, name, scopes, quota_events_per_s, quota_bytes_per_s, expires_at, created_at, revoked_at'

/** A row of `API_KEY_COLUMNS` as pg hands it over. */
export interface ApiKeyColumns {
  readonly id: string
  readonly tenant_id: string
  readonly name: string
  readonly scopes: readonly string[]
  readonly quota_events_per_s: number | null
  readonly quota_bytes_per_s: number | null
  readonly expires_at: Date | null
  readonly created_at: Date
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
    revokedAtMs: columns.revoked_at?.getTime() ?? null,
  }
}
