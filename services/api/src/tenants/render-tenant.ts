import type { TenantRow } from '@ariftly/store/tenants'

/** A tenant as the API shows it; `deleted_count` while it is being deleted. */
export function renderTenant(row: TenantRow): Record<string, unknown> {
  return {
    object: 'tenant',
    id: row.id,
    state: row.state,
    limits: {
      events_per_s: row.limits.eventsPerS,
      streams: row.limits.streams,
      webhooks: row.limits.webhooks,
      api_keys: row.limits.apiKeys,
    },
    ...(row.state === 'deleting' ? { deleted_count: row.deletedCount } : {}),
    created_at: new Date(row.createdAtMs).toISOString(),
    updated_at: new Date(row.updatedAtMs).toISOString(),
  }
}

/** A tenant that was never put: active, with default limits. */
export function renderUnknownTenant(id: string): Record<string, unknown> {
  const limits = { events_per_s: null, streams: null, webhooks: null, api_keys: null }
  return { object: 'tenant', id, state: 'active', limits, created_at: null, updated_at: null }
}
