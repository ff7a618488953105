import type { Transaction } from '../queryable.ts'
import { lockApiKeyChanges } from '../api-keys/lock-api-key.ts'
import { recordTenantChange } from './record-tenant-change.ts'
import { TENANT_COLUMNS, toTenantRow, type TenantColumns, type TenantLimits, type TenantRow } from './tenant-row.ts'

/** What is to be written of a tenant; members left out keep their value. */
export interface TenantChanges {
  readonly state?: 'active' | 'suspended'
  readonly limits?: Partial<TenantLimits>
}

/** What {@link putTenant} has done. */
export type PutTenantOutcome =
  { readonly type: 'created' | 'updated'; readonly tenant: TenantRow } | { readonly type: 'deleting' }

/**
 * Writes a tenant and tells every process through the feed of keys, in the caller's transaction. `deleting`, with nothing
 * changed, while the tenant is being deleted; one that was deleted is created again. By primary key.
 */
export async function putTenant(tx: Transaction, id: string, changes: TenantChanges): Promise<PutTenantOutcome> {
  await lockApiKeyChanges(tx)
  const { rows } = await tx.query<TenantColumns>(`SELECT ${TENANT_COLUMNS} FROM tenants WHERE id = $1 FOR UPDATE`, [id])
  const before = rows[0] === undefined ? undefined : toTenantRow(rows[0])
  if (before?.state === 'deleting') return { type: 'deleting' }
  const exists = before !== undefined && before.state !== 'deleted'
  const limits = { ...(exists ? before.limits : NO_LIMITS), ...changes.limits }
  const state = changes.state ?? (exists && before.state === 'suspended' ? 'suspended' : 'active')
  const tenant = await writeTenant(tx, { id, state, limits, anew: !exists })
  await recordTenantChange(tx, id, state)
  return { type: exists ? 'updated' : 'created', tenant }
}

const NO_LIMITS: TenantLimits = { eventsPerS: null, streams: null, webhooks: null, apiKeys: null }

async function writeTenant(
  tx: Transaction,
  o: Pick<TenantRow, 'id' | 'state' | 'limits'> & { readonly anew: boolean },
): Promise<TenantRow> {
  const { rows } = await tx.query<TenantColumns>(
    `INSERT INTO tenants (id, state, events_per_s, streams, webhooks, api_keys) VALUES ($1, $2, $3, $4, $5, $7)
     ON CONFLICT (id) DO UPDATE
        SET state = excluded.state, events_per_s = excluded.events_per_s, streams = excluded.streams,
            webhooks = excluded.webhooks, api_keys = excluded.api_keys, updated_at = excluded.updated_at,
            created_at = CASE WHEN $6 THEN excluded.created_at ELSE tenants.created_at END,
            deleted_count = CASE WHEN $6 THEN 0 ELSE tenants.deleted_count END
     RETURNING ${TENANT_COLUMNS}`,
    [o.id, o.state, o.limits.eventsPerS, o.limits.streams, o.limits.webhooks, o.anew, o.limits.apiKeys],
  )
  const [row] = rows
  if (row === undefined) throw new Error('An upsert has answered no row.')
  return toTenantRow(row)
}
