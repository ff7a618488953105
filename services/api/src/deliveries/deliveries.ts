import { createBodyReader, emptySchema } from '@ariftly/contract'
import { Problem, readQuery, sendJson, type ApiHandler } from '@ariftly/http'
import type { Pool } from '@ariftly/store'
import { getDelivery, redeliver } from './change-deliveries.ts'
import { listAttempts } from './list-attempts.ts'
import { notFound, pathId } from '../not-found.ts'
import type { WriteHandler } from '../writes/write-handler.ts'
import { renderDelivery, renderSingleDelivery } from './render-delivery.ts'

const ATTEMPTS_MAX = 100

/** Answers `GET /v1/deliveries/{id}`: the delivery with its newest 100 attempts, oldest first. */
export function createGetDelivery(o: { pool: Pool }): ApiHandler {
  return async ({ caller: { tenant }, params, url }, _req, res) => {
    readQuery(url, {})
    const id = pathId('dlv', params['id'])
    const delivery = await getDelivery(o.pool, { tenant, id })
    if (delivery === undefined) throw notFound('delivery')
    const attempts = await listAttempts(o.pool, { tenant, deliveryId: id, limit: ATTEMPTS_MAX })
    sendJson(res, 200, renderSingleDelivery(delivery, attempts))
  }
}

const readNothing = createBodyReader(emptySchema, { optional: true })

/**
 * Answers `POST /v1/deliveries/{id}/redeliver` with 202: a finished delivery is pending again, with all attempts
 * before it; a pending one becomes due, unless it is being sent. While its webhook is disabled it waits. One of a deleted webhook is 409.
 */
export function createRedeliver(): WriteHandler {
  return async ({ caller: { tenant }, params, body }, tx) => {
    readNothing(body)
    const id = pathId('dlv', params['id'])
    const sent = await redeliver(tx, { tenant, id })
    if (sent === undefined) throw notFound('delivery')
    if (sent === 'webhook_deleted') throw new Problem(409, 'webhook_deleted', { detail: WEBHOOK_DELETED })
    return { status: 202, body: renderDelivery(sent), headers: { Location: `/v1/deliveries/${id}` } }
  }
}

const WEBHOOK_DELETED = 'The webhook of the delivery is deleted: nothing is sent to it any more.'
