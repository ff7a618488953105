import { parseTypeId } from '@ariftly/events'
import { readQuery, sendJson, type ApiHandler } from '@ariftly/http'
import { type Pool, type Queryable } from '@ariftly/store'
import { cancelRedelivery, getRedelivery, type RedeliveryRow } from '@ariftly/store/redeliveries'
import { notFound } from '../not-found.ts'
import { renderRedelivery } from './render-redelivery.ts'

/** Answers `GET /v1/redeliveries/{id}` with its progress. */
export function createGetRedelivery(o: { pool: Pool }): ApiHandler {
  return createAnswer(o.pool, getRedelivery)
}

/**
 * Answers `DELETE /v1/redeliveries/{id}` with 200 and the redelivery: no further delivery is made pending. What is pending
 * already is still sent; a finished redelivery stays as it is.
 */
export function createCancelRedelivery(o: { pool: Pool }): ApiHandler {
  return createAnswer(o.pool, cancelRedelivery)
}

type Find = (db: Queryable, o: { readonly tenant: string; readonly id: string }) => Promise<RedeliveryRow | undefined>

function createAnswer(pool: Pool, find: Find): ApiHandler {
  return async ({ caller: { tenant }, params, url }, _req, res) => {
    readQuery(url, {})
    const id = params['id'] ?? ''
    const row = parseTypeId('rdl', id) === undefined ? undefined : await find(pool, { tenant, id })
    if (row === undefined) throw notFound('redelivery')
    sendJson(res, 200, renderRedelivery(row))
  }
}
