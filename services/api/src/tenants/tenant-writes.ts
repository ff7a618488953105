import { Problem, readQuery, type ApiCall } from '@ariftly/http'
import type { Transaction } from '@ariftly/store'
import { deleteTenant, putTenant } from '@ariftly/store/tenants'
import { TENANT, TENANT_SHAPE } from '@ariftly/contract'
import { notFound } from '../not-found.ts'
import type { WriteAnswer, WriteHandler } from '../writes/write-handler.ts'
import { readTenantRequest } from './read-tenant-request.ts'
import { renderTenant } from './render-tenant.ts'
import { BOOTSTRAP_TENANT, ownTenant, tenantDeleted } from './tenant-problems.ts'

/** Makes the handlers that write `/v1/tenants…`. */
export function createTenantWrites(): Readonly<Record<'putTenant' | 'deleteTenant', WriteHandler>> {
  return { putTenant: put, deleteTenant: remove }
}

/** Answers `PUT /v1/tenants/{id}`: 201 when the tenant was not put before, else 200. Every door follows within a second. */
async function put({ params, url, body }: ApiCall, tx: Transaction): Promise<WriteAnswer> {
  readQuery(url, {})
  const id = tenantIdOf(params)
  const outcome = await putTenant(tx, id, readTenantRequest(body))
  if (outcome.type === 'deleting' || outcome.type === 'deleted') throw tenantDeleted(outcome.type)
  return {
    status: outcome.type === 'created' ? 201 : 200,
    body: renderTenant(outcome.tenant),
    headers: outcome.type === 'created' ? { Location: `/v1/tenants/${id}` } : {},
    audit: { action: 'tenant.put', target: id, tenant: id },
  }
}

/**
 * Answers `DELETE /v1/tenants/{id}` with 202: the tenant's keys stop within a second, and the projector deletes its data. Again
 * while that is under way it changes nothing. 404 for a tenant that was deleted, and for an id that nothing is known of.
 */
async function remove({ caller, params, url }: ApiCall, tx: Transaction): Promise<WriteAnswer> {
  readQuery(url, {})
  const id = tenantIdOf(params)
  if (id === caller.tenant) throw ownTenant('A key cannot delete its own tenant.')
  if (id === BOOTSTRAP_TENANT) throw ownTenant('The tenant of the bootstrap key cannot be deleted.')
  const outcome = await deleteTenant(tx, id)
  if (outcome.type === 'absent') throw notFound('tenant')
  return {
    status: 202,
    body: renderTenant(outcome.tenant),
    ...(outcome.type === 'started' ? { audit: { action: 'tenant.delete', target: id, tenant: id } } : {}),
  }
}

/** The id of the path. 400 for what can be no tenant's: it would be made. */
function tenantIdOf(params: ApiCall['params']): string {
  const id = params['id'] ?? ''
  if (TENANT.test(id)) return id
  const errors = [{ parameter: 'id', code: 'invalid_parameter', message: `must be ${TENANT_SHAPE}` }]
  throw new Problem(400, 'invalid_parameter', { detail: 'Cannot read: id.', errors })
}
