import { createBodyReader, TENANT, TENANT_SHAPE, TENANT_STATES, tenantRequestSchema } from '@ariftly/contract'
import { choiceParam, Problem, readQuery, sendJson, type ApiCall, type ApiHandler } from '@ariftly/http'
import type { Transaction } from '@ariftly/store'
import {
  deleteTenant,
  getTenant,
  listTenants,
  putTenant,
  type TenantChanges,
  type TenantPlace,
  type TenantRow,
} from './tenant-rows.ts'
import { notFound } from '../not-found.ts'
import { pageParams, sendPage, type ListDeps } from '../send-list.ts'
import { changesOf, type Settings } from '../writes/changes.ts'
import type { WriteAnswer, WriteHandler } from '../writes/write-handler.ts'
import { BOOTSTRAP_TENANT, ownTenant, tenantDeleted } from './tenant-problems.ts'

/** Makes the handlers that read `/v1/tenants…`. */
export function createTenantHandlers({
  pool,
  cursors,
}: ListDeps): Readonly<Record<'getTenant' | 'listTenants', ApiHandler>> {
  return {
    async getTenant({ params, url }, _req, res) {
      readQuery(url, {})
      const id = params['id'] ?? ''
      if (!TENANT.test(id)) throw notFound('tenant')
      const row = await getTenant(pool, id)
      if (row?.state === 'deleted') throw notFound('tenant')
      sendJson(res, 200, row === undefined ? renderUnknownTenant(id) : renderTenant(row))
    },

    async listTenants({ caller: { tenant }, url }, _req, res) {
      const { state, ...query } = readQuery(url, { state: choiceParam(TENANT_STATES), ...pageParams })
      const filter = state === undefined ? {} : { state }
      const list = { cursors, name: 'tenants', bound: { tenant, ...filter }, query, render: renderTenant, placeOf }
      const read = ({ limit, cursorId }: { limit: number; cursorId?: string }) =>
        listTenants(pool, { limit, ...filter, ...(cursorId === undefined ? {} : { place: readPlace(cursorId) }) })
      await sendPage(res, { ...list, read })
    },
  }
}

function placeOf({ createdAtMs, id }: TenantPlace): string {
  return `${createdAtMs} ${id}`
}

/** The cursor is sealed, so its content is valid. */
function readPlace(text: string): TenantPlace {
  const [ms = '', id = ''] = text.split(' ')
  if (!/^\d+$/.test(ms)) throw new Problem(400, 'invalid_cursor', { detail: 'The cursor is of another list.' })
  return { createdAtMs: Number(ms), id }
}

/** Makes the handlers that write `/v1/tenants…`. */
export function createTenantWrites(): Readonly<Record<'putTenant' | 'deleteTenant', WriteHandler>> {
  return { putTenant: put, deleteTenant: remove }
}

/** Answers `PUT /v1/tenants/{id}`: 201 when the tenant was not put before, otherwise 200. Every door follows within a second. */
async function put({ params, body }: ApiCall, tx: Transaction): Promise<WriteAnswer> {
  const id = tenantIdOf(params)
  const outcome = await putTenant(tx, id, readTenantRequest(body))
  if (outcome.type === 'deleting' || outcome.type === 'deleted') throw tenantDeleted(outcome.type)
  const { tenant } = outcome
  const before = outcome.type === 'created' ? undefined : settingsOf(outcome.before)
  return {
    status: outcome.type === 'created' ? 201 : 200,
    body: renderTenant(tenant),
    headers: outcome.type === 'created' ? { Location: `/v1/tenants/${id}` } : {},
    audit: { action: 'tenant.put', target: id, tenant: id, changes: changesOf(before, settingsOf(tenant)) },
  }
}

/**
 * Answers `DELETE /v1/tenants/{id}` with 202: the tenant's keys stop within a second, and the projector deletes its data. Again
 * while that is under way it changes nothing. 404 for a tenant that was deleted, and for an id that nothing is known of.
 */
async function remove({ caller, params }: ApiCall, tx: Transaction): Promise<WriteAnswer> {
  const id = tenantIdOf(params)
  if (id === caller.tenant) throw ownTenant('A key cannot delete its own tenant.')
  if (id === BOOTSTRAP_TENANT) throw ownTenant('The tenant of the bootstrap key cannot be deleted.')
  const outcome = await deleteTenant(tx, id)
  if (outcome.type === 'absent') throw notFound('tenant')
  const answer = { status: 202, body: renderTenant(outcome.tenant) } as const
  if (outcome.type === 'running') return answer
  const changes = changesOf({ state: outcome.before?.state ?? 'active' }, { state: outcome.tenant.state })
  return { ...answer, audit: { action: 'tenant.delete', target: id, tenant: id, changes } }
}

/** The id of the path. 400 for what can be no tenant's: it would be made. */
function tenantIdOf(params: ApiCall['params']): string {
  const id = params['id'] ?? ''
  if (TENANT.test(id)) return id
  const errors = [{ parameter: 'id', code: 'invalid_parameter', message: `must be ${TENANT_SHAPE}` }]
  throw new Problem(400, 'invalid_parameter', { detail: 'Cannot read: id.', errors })
}

const readRequest = createBodyReader(tenantRequestSchema, { nulls: 'kept' })

/** Reads the body of `PUT /v1/tenants/{id}`; null removes a limit. @throws Problem 422 that names the faults. */
function readTenantRequest(body: unknown): TenantChanges {
  const { state, limits } = readRequest(body)
  return {
    ...(state === undefined ? {} : { state }),
    ...(limits === undefined ? {} : { limits: limitsOf(limits) }),
  }
}

function limitsOf({
  events_per_s: eventsPerS,
  streams,
  webhooks,
  api_keys: apiKeys,
}: NonNullable<ReturnType<typeof readRequest>['limits']>): NonNullable<TenantChanges['limits']> {
  return {
    ...(eventsPerS === undefined ? {} : { eventsPerS }),
    ...(streams === undefined ? {} : { streams }),
    ...(webhooks === undefined ? {} : { webhooks }),
    ...(apiKeys === undefined ? {} : { apiKeys }),
  }
}

/** A tenant as the API shows it; `deleted_count` while it is being deleted. */
export function renderTenant(row: TenantRow): Record<string, unknown> {
  return {
    object: 'tenant',
    id: row.id,
    ...settingsOf(row),
    ...(row.state === 'deleting' ? { deleted_count: row.deletedCount } : {}),
    created_at: new Date(row.createdAtMs).toISOString(),
    updated_at: new Date(row.updatedAtMs).toISOString(),
  }
}

/** What a caller decides about a tenant, by the names of the API. */
function settingsOf({ state, limits }: TenantRow): Settings {
  const { eventsPerS, streams, webhooks, apiKeys } = limits
  return { state, limits: { events_per_s: eventsPerS, streams, webhooks, api_keys: apiKeys } }
}

/** A tenant that was never put: active, with default limits. */
function renderUnknownTenant(id: string): Record<string, unknown> {
  const limits = { events_per_s: null, streams: null, webhooks: null, api_keys: null }
  return { object: 'tenant', id, state: 'active', limits, created_at: null, updated_at: null }
}
