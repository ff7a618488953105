import {
  cursorParam,
  limitParam,
  Problem,
  readQuery,
  sendJson,
  type ApiCall,
  type ApiHandler,
  type CursorCodec,
} from '@ariftly/http'
import type { Pool } from '@ariftly/store'
import { getTenant, listTenants, type TenantPlace } from '@ariftly/store/tenants'
import type { Response } from 'express'
import { notFound } from '../not-found.ts'
import { renderTenant, renderUnknownTenant } from './render-tenant.ts'
import { TENANT } from '@ariftly/contract'

/** Makes the handlers that read `/v1/tenants…`. */
export function createTenantHandlers(deps: {
  readonly pool: Pool
  readonly cursors: CursorCodec
}): Readonly<Record<'getTenant' | 'listTenants', ApiHandler>> {
  const { pool, cursors } = deps

  async function get({ params, url }: ApiCall, _req: unknown, res: Response): Promise<void> {
    readQuery(url, {})
    const id = params['id'] ?? ''
    if (!TENANT.test(id)) throw notFound('tenant')
    const row = await getTenant(pool, id)
    if (row?.state === 'deleted') throw notFound('tenant')
    sendJson(res, 200, row === undefined ? renderUnknownTenant(id) : renderTenant(row))
  }

  async function list({ caller: { tenant }, url }: ApiCall, _req: unknown, res: Response): Promise<void> {
    const { limit, cursor } = readQuery(url, { limit: limitParam(), cursor: cursorParam() })
    const place = cursor === undefined ? {} : { place: placeOf(cursors.decode('tenants', { tenant }, cursor)) }
    const rows = await listTenants(pool, { limit: limit + 1, ...place })
    const page = rows.slice(0, limit)
    const last = page.at(-1)
    const hasMore = rows.length > page.length && last !== undefined
    sendJson(res, 200, {
      object: 'list',
      data: page.map(renderTenant),
      has_more: hasMore,
      next_cursor: hasMore ? cursors.encode('tenants', { tenant }, `${last.createdAtMs} ${last.id}`) : null,
    })
  }

  return { getTenant: get, listTenants: list }
}

/** The cursor is sealed: what is in it is ours. */
function placeOf(text: string): TenantPlace {
  const [ms = '', id = ''] = text.split(' ')
  if (!/^\d+$/.test(ms)) throw new Problem(400, 'invalid_cursor', { detail: 'The cursor is of another list.' })
  return { createdAtMs: Number(ms), id }
}
