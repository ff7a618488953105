import { newTypeId } from '@ariftly/events'
import { generateApiKey } from '@ariftly/auth'
import {
  cursorParam,
  limitParam,
  Problem,
  readQuery,
  sendJson,
  textParam,
  type ApiCall,
  type ApiHandler,
  type Caller,
  type CursorCodec,
} from '@ariftly/http'
import { withTransaction, type Pool } from '@ariftly/store'
import { insertApiKey, listApiKeys, revokeApiKey } from '@ariftly/store/api-keys'
import type { Response } from 'express'
import { notFound } from '../not-found.ts'
import { apiKeyObject, currentApiKeyObject } from './api-key-object.ts'
import { refuseExcess } from './refuse-excess.ts'
import { readApiKeyRequest, TENANT, TENANT_SHAPE } from './read-api-key-request.ts'

/** What the handlers need. */
export interface ApiKeyHandlersDeps {
  readonly pool: Pool
  readonly cursors: CursorCodec
  /** Epoch milliseconds; default `Date.now`. */
  readonly now?: () => number
}

/** The routes of this file, for `createExpressApp`. */
export type ApiKeyHandlers = Readonly<
  Record<'getCurrentApiKey' | 'createApiKey' | 'listApiKeys' | 'revokeApiKey', ApiHandler>
>

/** Makes the handlers of `/v1/api-keys…`. `admin` reaches its own tenant's keys, `platform` those of any. */
export function createApiKeyHandlers(deps: ApiKeyHandlersDeps): ApiKeyHandlers {
  const { pool, cursors, now = Date.now } = deps

  async function create({ caller, url, body }: ApiCall, _req: unknown, res: Response): Promise<void> {
    readQuery(url, {})
    const nowMs = now()
    const request = readApiKeyRequest(body, nowMs)
    const tenant = reachTenant(caller, request.tenant)
    refuseExcess(caller, request)
    const { key, hash } = generateApiKey()
    const { name, scopes, quota, expiresAtMs } = request
    const row = { id: newTypeId('key', nowMs), tenant, name, scopes, quota, expiresAtMs, createdAtMs: nowMs }
    await insertApiKey(pool, { ...row, hash })
    const { object, id, ...rest } = apiKeyObject({ ...row, revokedAtMs: null })
    sendJson(res, 201, { object, id, key, ...rest }, { Location: `/v1/api-keys/${row.id}` })
  }

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

  async function revoke({ caller, url, params }: ApiCall, _req: unknown, res: Response): Promise<void> {
    readQuery(url, {})
    const reach = caller.scopes.includes('platform') ? {} : { tenant: caller.tenant }
    const revoked = await withTransaction(pool, (tx) => revokeApiKey(tx, { id: params['id'] ?? '', ...reach }))
    if (!revoked) throw notFound('API key')
    res.status(204).end()
  }

  return { getCurrentApiKey: getCurrent, createApiKey: create, listApiKeys: list, revokeApiKey: revoke }
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

/** The tenant that is asked for, if the caller reaches it. */
function reachTenant(caller: Caller, tenant: string | undefined): string {
  if (tenant === undefined || tenant === caller.tenant) return caller.tenant
  if (caller.scopes.includes('platform')) return tenant
  throw new Problem(403, 'missing_scope', { detail: 'Keys of another tenant need the scope `platform`.' })
}
