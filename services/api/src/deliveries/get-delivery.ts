import { parseTypeId } from '@ariftly/events'
import { readQuery, sendJson, type ApiHandler } from '@ariftly/http'
import { type Pool } from '@ariftly/store'
import { getDelivery, listAttempts } from '@ariftly/store/deliveries'
import { notFound } from '../not-found.ts'
import { renderSingleDelivery } from './render-delivery.ts'

const ATTEMPTS_MAX = 100

/** Answers `GET /v1/deliveries/{id}`: the delivery with its newest 100 attempts, oldest first. */
export function createGetDelivery(o: { pool: Pool }): ApiHandler {
  return async ({ caller: { tenant }, params, url }, _req, res) => {
    readQuery(url, {})
    const id = params['id'] ?? ''
    if (parseTypeId('dlv', id) === undefined) throw notFound('delivery')
    const delivery = await getDelivery(o.pool, { tenant, id })
    if (delivery === undefined) throw notFound('delivery')
    const attempts = await listAttempts(o.pool, { tenant, deliveryId: id, limit: ATTEMPTS_MAX })
    sendJson(res, 200, renderSingleDelivery(delivery, attempts))
  }
}
