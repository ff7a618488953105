import { API_KEY_COLUMNS, toApiKeyRow, type ApiKeyColumns, type ApiKeyRow } from './api-key-row.ts'

/** A key, which of its secrets was looked up, and what its tenant is allowed. */
export interface ApiKeySecret extends ApiKeyRow {
  /** 1 for the first secret; each rotation adds 1. */
  readonly secret: number
  /** When this secret stops: the end of a rotation's overlap. Null for the newest one. */
  readonly secretEndsAtMs: number | null
  readonly tenantState: 'active' | 'suspended' | 'deleting' | 'deleted'
  /** Null is the default. */
  readonly limits: {
    readonly eventsPerS: number | null
    readonly streams: number | null
    readonly webhooks: number | null
  }
}

/** Columns of `api_keys k LEFT JOIN tenants t` and of a secret's number and end, `secret` and `secret_ends_at`. */
export const API_KEY_SECRET_COLUMNS = `${API_KEY_COLUMNS}, coalesce(t.state, 'active') AS tenant_state,
  t.events_per_s AS tenant_events_per_s, t.streams AS tenant_streams, t.webhooks AS tenant_webhooks`

/** A row of {@link API_KEY_SECRET_COLUMNS} as pg hands it over. */
export interface ApiKeySecretColumns extends ApiKeyColumns {
  readonly secret: number
  readonly secret_ends_at: Date | null
  readonly tenant_state: ApiKeySecret['tenantState']
  readonly tenant_events_per_s: number | null
  readonly tenant_streams: number | null
  readonly tenant_webhooks: number | null
}

/** Turns columns into the key that code works with. */
export function toApiKeySecret(columns: ApiKeySecretColumns): ApiKeySecret {
  return {
    ...toApiKeyRow(columns),
    secret: columns.secret,
    secretEndsAtMs: columns.secret_ends_at?.getTime() ?? null,
    tenantState: columns.tenant_state,
    limits: {
      eventsPerS: columns.tenant_events_per_s,
      streams: columns.tenant_streams,
      webhooks: columns.tenant_webhooks,
    },
  }
}
