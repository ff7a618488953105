import { TENANT, TENANT_STATES } from '@ariftly/contract'
import {
  choiceParam,
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
import { cutPage, sendObjects } from '../send-list.ts'
import { renderTenant, renderUnknownTenant } from './render-tenant.ts'

const QUERY = {
  state: choiceParam(TENANT_STATES),
  limit: limitParam(),
  cursor: cursorParam(),
}

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
    const { state, limit, cursor } = readQuery(url, QUERY)
    const filter = state === undefined ? {} : { state }
    const bound = { tenant, ...filter }
    const place = cursor === undefined ? {} : { place: placeOf(cursors.decode('tenants', bound, cursor)) }
    const rows = await listTenants(pool, { limit: limit + 1, ...filter, ...place })
    const { page, last } = cutPage(rows, limit)
    const next = last === undefined ? null : cursors.encode('tenants', bound, `${last.createdAtMs} ${last.id}`)
    sendObjects(res, page.map(renderTenant), next)
  }

  return { getTenant: get, listTenants: list }
}

/** The cursor is sealed: what is in it is ours. */
function placeOf(text: string): TenantPlace {
  const [ms = '', id = ''] = text.split(' ')
  if (!/^\d+$/.test(ms)) throw new Problem(400, 'invalid_cursor', { detail: 'The cursor is of another list.' })
  return { createdAtMs: Number(ms), id }
}
