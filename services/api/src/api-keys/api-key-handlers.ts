import { TENANT, TENANT_SHAPE } from '@ariftly/contract'
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
import { cutPage, sendObjects } from '../send-list.ts'
import { reachTenant } from '../tenants/reach-tenant.ts'
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
    const { page, last } = cutPage(rows, query.limit)
    const next = last === undefined ? null : cursors.encode('api_keys', { tenant }, last.id)
    sendObjects(res, page.map(apiKeyObject), next)
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
