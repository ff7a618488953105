import { lockApiKeyChanges } from '@ariftly/store/api-keys'
import { defineRow, plain, type Queryable, type RowOf, time, type Transaction } from '@ariftly/store'
import { recordTenantChange, type TenantState } from '@ariftly/store/tenants'

const tenantRow = defineRow('t', {
  /** 1 to 64 characters of `a-z 0-9 -`. */
  id: plain<string>(),
  /** `deleted` is the last one: the id is never given again. */
  state: plain<TenantState>(),
  /** What a tenant may do at most, 1 to 1,000,000 each; null is the default. */
  limits: {
    eventsPerS: plain<number | null>(),
    /** Open streams, over all gateways. */
    streams: plain<number | null>(),
    webhooks: plain<number | null>(),
    /** Keys that are not revoked. */
    apiKeys: plain<number | null>(),
  },
  /** Rows that its deletion has removed so far; a webhook counts when it is marked, and again when its content is removed. */
  deletedCount: plain<number>(),
  createdAtMs: time(),
  updatedAtMs: time(),
})

/** A stored tenant. */
export type TenantRow = RowOf<typeof tenantRow>

/** A tenant that was put or deleted; undefined for one without a row, which is active with default limits. By primary key. */
export async function getTenant(db: Queryable, id: string): Promise<TenantRow | undefined> {
  const text = `SELECT ${tenantRow.columns} FROM tenants t WHERE id = $1`
  return tenantRow.readFirst(await db.query({ name: 'get-tenant', text, values: [id] }))
}

/** The last tenant of the page before. */
export interface TenantPlace {
  readonly createdAtMs: number
  readonly id: string
}

/**
 * Tenants, newest first, after `place`: the ones in `state`, by default all but deleted ones. By the indexes tenants_created and
 * tenants_deleted.
 */
export async function listTenants(
  db: Queryable,
  o: { readonly state?: TenantState; readonly place?: TenantPlace; readonly limit: number },
): Promise<readonly TenantRow[]> {
  const { rows } = await db.query(
    `SELECT ${tenantRow.columns} FROM tenants t
      WHERE (created_at, id) < ($1::timestamptz, $2::text) AND ${o.state === undefined ? `state <> 'deleted'` : 'state = $4'}
      ORDER BY created_at DESC, id DESC LIMIT $3`,
    [
      o.place === undefined ? 'infinity' : new Date(o.place.createdAtMs),
      o.place?.id ?? '',
      o.limit,
      ...(o.state === undefined ? [] : [o.state]),
    ],
  )
  return rows.map(tenantRow.read)
}

/** What is to be written of a tenant; members left out keep their value. */
export interface TenantChanges {
  readonly state?: 'active' | 'suspended'
  readonly limits?: Partial<TenantRow['limits']>
}

/** What {@link putTenant} has done. */
export type PutTenantOutcome =
  | { readonly type: 'created'; readonly tenant: TenantRow }
  | { readonly type: 'updated'; readonly tenant: TenantRow; readonly before: TenantRow }
  | { readonly type: 'deleting' }
  | { readonly type: 'deleted' }

/**
 * Writes a tenant and announces it to every process through the key feed, in the caller's transaction. Returns `deleting` or
 * `deleted`, with nothing changed, for a tenant in that state. By primary key.
 */
export async function putTenant(tx: Transaction, id: string, changes: TenantChanges): Promise<PutTenantOutcome> {
  const before = await lockTenant(tx, id)
  if (before?.state === 'deleting') return { type: 'deleting' }
  if (before?.state === 'deleted') return { type: 'deleted' }
  const limits = { ...(before?.limits ?? NO_LIMITS), ...changes.limits }
  const state = changes.state ?? before?.state ?? 'active'
  const tenant = await writeTenant(tx, { id, state, limits })
  await recordTenantChange(tx, id, state)
  return before === undefined ? { type: 'created', tenant } : { type: 'updated', tenant, before }
}

const NO_LIMITS: TenantRow['limits'] = { eventsPerS: null, streams: null, webhooks: null, apiKeys: null }

async function writeTenant(tx: Transaction, o: Pick<TenantRow, 'id' | 'state' | 'limits'>): Promise<TenantRow> {
  const { columns, parameters, values } = tenantRow.write(o)
  return await upsert(
    tx,
    `INSERT INTO tenants AS t (${columns}) VALUES (${parameters})
     ON CONFLICT (id) DO UPDATE
        SET state = excluded.state, events_per_s = excluded.events_per_s, streams = excluded.streams,
            webhooks = excluded.webhooks, api_keys = excluded.api_keys, updated_at = excluded.updated_at`,
    values,
  )
}

/**
 * Takes the lock of the feed of keys and locks a tenant's row until the transaction ends; undefined without one. The row of a tenant that is
 * deleting or deleted is not waited for: a slice of its deletion may hold it, and such a state never changes back.
 */
async function lockTenant(tx: Transaction, id: string): Promise<TenantRow | undefined> {
  const seen = await getTenant(tx, id)
  if (seen?.state === 'deleting' || seen?.state === 'deleted') return seen
  await lockApiKeyChanges(tx)
  return tenantRow.readFirst(
    await tx.query(`SELECT ${tenantRow.columns} FROM tenants t WHERE id = $1 FOR UPDATE`, [id]),
  )
}

async function upsert(tx: Transaction, text: string, values: unknown[]): Promise<TenantRow> {
  const tenant = tenantRow.readFirst(await tx.query(`${text} RETURNING ${tenantRow.columns}`, values))
  if (tenant === undefined) throw new Error('An upsert returned no row.')
  return tenant
}

/** What {@link deleteTenant} has done. `absent`: the tenant was deleted, or is unknown: it has no row and never had a key. */
export type DeleteTenantOutcome =
  | { readonly type: 'started'; readonly tenant: TenantRow; readonly before: TenantRow | undefined }
  | { readonly type: 'running'; readonly tenant: TenantRow }
  | { readonly type: 'absent' }

/**
 * Begins the deletion of a tenant, put or not, in the caller's transaction: from its commit on its keys are refused, no
 * attempt of its deliveries begins, and no row of it is added by a transaction that begins later. Keys, webhooks and data follow in
 * slices (`revokeTenantKeys`, `deleteTenantSlice`). `evenUnknown`: also an id that has no row and never had a key. By
 * primary key and the indexes by tenant.
 */
export async function deleteTenant(
  tx: Transaction,
  id: string,
  { evenUnknown = false }: { readonly evenUnknown?: boolean } = {},
): Promise<DeleteTenantOutcome> {
  const before = await lockTenant(tx, id)
  if (before?.state === 'deleting') return { type: 'running', tenant: before }
  if (before?.state === 'deleted') return { type: 'absent' }
  if (before === undefined && !evenUnknown && !(await everHadKey(tx, id))) return { type: 'absent' }
  const tenant = await upsert(
    tx,
    `INSERT INTO tenants AS t (id, state, refused_at) VALUES ($1, 'deleting', now())
     ON CONFLICT (id) DO UPDATE
        SET state = excluded.state, refused_at = excluded.refused_at, updated_at = excluded.updated_at, deleted_count = 0`,
    [id],
  )
  await recordTenantChange(tx, id, 'deleting')
  return { type: 'started', tenant, before }
}

/** Whether a tenant has or had a key, of any state or removed. The table of keys is read when it has none. */
async function everHadKey(db: Queryable, tenant: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `SELECT FROM (SELECT FROM api_keys WHERE tenant_id = $1 LIMIT 1) keys
     UNION ALL
     SELECT FROM (SELECT FROM removed_api_key_hashes WHERE tenant_id = $1 LIMIT 1) hashes`,
    [tenant],
  )
  return rowCount !== 0
}

/** Ids of the tenants whose deletion began at a time or later, the oldest first. Reads the table. For the operator alone. */
export async function listDeletedSince(db: Queryable, sinceMs: number): Promise<readonly string[]> {
  const { rows } = await db.query<{ id: string }>(
    `SELECT id FROM tenants WHERE state IN ('deleting', 'deleted') AND refused_at >= $1 ORDER BY refused_at, id`,
    [new Date(sinceMs)],
  )
  return rows.map(({ id }) => id)
}
