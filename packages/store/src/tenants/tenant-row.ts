/** A tenant as it is stored. */
export interface TenantRow {
  /** 1 to 64 characters of `a-z 0-9 -`. */
  readonly id: string
  /** `deleted` is the last one: the id is never given again. */
  readonly state: 'active' | 'suspended' | 'deleting' | 'deleted'
  /** 1 to 1,000,000 each; null is the default. */
  readonly limits: TenantLimits
  /** Rows that its deletion has removed so far. */
  readonly deletedCount: number
  readonly createdAtMs: number
  readonly updatedAtMs: number
}

/** What a tenant may do at most. */
export interface TenantLimits {
  readonly eventsPerS: number | null
  /** Open streams, over all gateways. */
  readonly streams: number | null
  readonly webhooks: number | null
  /** Keys that are not revoked. */
  readonly apiKeys: number | null
}

/** The columns that {@link toTenantRow} reads. */
export const TENANT_COLUMNS =
  'id, state, events_per_s, streams, webhooks, api_keys, deleted_count, created_at, updated_at'

/** A row of {@link TENANT_COLUMNS} as pg hands it over. */
export interface TenantColumns {
  readonly id: string
  readonly state: TenantRow['state']
  readonly events_per_s: number | null
  readonly streams: number | null
  readonly webhooks: number | null
  readonly api_keys: number | null
  readonly deleted_count: number
  readonly created_at: Date
  readonly updated_at: Date
}

/** Turns columns into the row that code works with. */
export function toTenantRow(columns: TenantColumns): TenantRow {
  return {
    id: columns.id,
    state: columns.state,
    limits: {
      eventsPerS: columns.events_per_s,
      streams: columns.streams,
      webhooks: columns.webhooks,
      apiKeys: columns.api_keys,
    },
    deletedCount: columns.deleted_count,
    createdAtMs: columns.created_at.getTime(),
    updatedAtMs: columns.updated_at.getTime(),
  }
}
