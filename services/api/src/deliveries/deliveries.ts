import { createBodyReader, emptySchema } from '@ariftly/contract'
import { Problem, readQuery, sendJson, type ApiHandler } from '@ariftly/http'
import type { Pool, Transaction } from '@ariftly/store'
import { getDelivery, listAttempts, redeliver } from '@ariftly/store/deliveries'
import { webhookExists } from '@ariftly/store/webhooks'
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
 * before it. While its webhook is disabled it waits. An unfinished one is 409, and so is
 * one of a deleted webhook.
 */
export function createRedeliver(): WriteHandler {
  return async ({ caller: { tenant }, params, body }, tx) => {
    readNothing(body)
    const id = pathId('dlv', params['id'])
    const again = await redeliver(tx, { tenant, id })
    if (again === undefined) throw await reasonOf(tx, tenant, id)
    const headers = { Location: `/v1/deliveries/${id}` }
    return { status: 202, body: renderDelivery(again), headers }
  }
}

const WEBHOOK_DELETED = 'The webhook of the delivery is deleted: nothing is sent to it any more.'

async function reasonOf(tx: Transaction, tenant: string, id: string): Promise<Problem> {
  const delivery = await getDelivery(tx, { tenant, id })
  if (delivery === undefined) return notFound('delivery')
  // It may have ended since it was found unfinished.
  if (delivery.status === 'pending' || (await webhookExists(tx, delivery))) {
    return new Problem(409, 'delivery_pending', {
      detail: 'The delivery is not finished: it is still to be attempted.',
    })
  }
  return new Problem(409, 'webhook_deleted', { detail: WEBHOOK_DELETED })
}
