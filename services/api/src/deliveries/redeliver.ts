import { parseTypeId } from '@ariftly/events'
import { Problem, readQuery, sendJson, type ApiHandler } from '@ariftly/http'
import { type Pool } from '@ariftly/store'
import { getDelivery, redeliver } from '@ariftly/store/deliveries'
import { objectOf, invalidBody, judgeMembers } from '../body-members.ts'
import { notFound } from '../not-found.ts'
import { renderDelivery } from './render-delivery.ts'

/**
 * Answers `POST /v1/deliveries/{id}/redeliver` with 202: a finished delivery is pending again, with all attempts
 * before it. While its webhook is disabled it waits. An unfinished one is 409, and so is
 * one of a deleted webhook.
 */
export function createRedeliver(o: { pool: Pool }): ApiHandler {
  return async ({ caller: { tenant }, params, url, body }, _req, res) => {
    readQuery(url, {})
    const errors = judgeMembers(objectOf(body, { optional: true }), {}, undefined)
    if (errors.length > 0) throw invalidBody(errors)
    const id = params['id'] ?? ''
    if (parseTypeId('dlv', id) === undefined) throw notFound('delivery')
    const again = await redeliver(o.pool, { tenant, id })
    if (again === undefined) throw await reasonOf(o.pool, tenant, id)
    sendJson(res, 202, renderDelivery(again), { Location: `/v1/deliveries/${id}` })
  }
}

const WEBHOOK_DELETED = 'The webhook of the delivery is deleted: nothing is sent to it any more.'

async function reasonOf(pool: Pool, tenant: string, id: string): Promise<Problem> {
  const delivery = await getDelivery(pool, { tenant, id })
  if (delivery === undefined) return notFound('delivery')
  if (delivery.status !== 'pending') return new Problem(409, 'webhook_deleted', { detail: WEBHOOK_DELETED })
  return new Problem(409, 'delivery_pending', { detail: 'The delivery is not finished: it is still to be attempted.' })
}
