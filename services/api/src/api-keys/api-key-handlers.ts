import {
  cursorParam,
  limitParam,
  readQuery,
  sendJson,
  textParam,
  type ApiCall,
  type ApiHandler,
  type CursorCodec,
} from '@ariftly/http'
import type { Pool } from '@ariftly/store'
import { listApiKeys } from '@ariftly/store/api-keys'
import type { Response } from 'express'
import { reachTenant } from '../tenants/reach-tenant.ts'
import { TENANT, TENANT_SHAPE } from '@ariftly/contract'
import { apiKeyObject, currentApiKeyObject } from './api-key-object.ts'

/** Makes the handlers that read `/v1/api-keys…`. `admin` reaches its own tenant's keys, `platform` those of any. */
export function createApiKeyHandlers(deps: {
  readonly pool: Pool
  readonly cursors: CursorCodec
}): Readonly<Record<'getCurrentApiKey' | 'listApiKeys', ApiHandler>> {
  const { pool, cursors } = deps

  async function list({ caller, url }: ApiCall, _req: unknown, res: Response): Promise<void> {
    const query = readQuery(url, LIST_QUERY)
    const tenant = reachTenant(caller, query.tenant)
    const beforeId =
      query.cursor === undefined ? {} : { beforeId: cursors.decode('api_keys', { tenant }, query.cursor) }
    const rows = await listApiKeys(pool, { tenant, limit: query.limit + 1, ...beforeId })
    const page = rows.slice(0, query.limit)
    const last = page.at(-1)
    const hasMore = rows.length > page.length && last !== undefined
    sendJson(res, 200, {
      object: 'list',
      data: page.map(apiKeyObject),
      has_more: hasMore,
      next_cursor: hasMore ? cursors.encode('api_keys', { tenant }, last.id) : null,
    })
  }

  return { getCurrentApiKey: getCurrent, listApiKeys: list }
}

function getCurrent({ caller, url }: ApiCall, _req: unknown, res: Response): void {
  readQuery(url, {})
  sendJson(res, 200, currentApiKeyObject(caller))
}

const LIST_QUERY = {
  tenant: textParam({ pattern: TENANT, shape: TENANT_SHAPE }),
  limit: limitParam(),
  cursor: cursorParam(),
} as const
