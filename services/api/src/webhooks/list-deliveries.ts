import { isEventType } from '@ariftly/events'
import {
  choiceParam,
  cursorParam,
  instantParam,
  limitParam,
  listParam,
  readQuery,
  type ApiHandler,
  type CursorCodec,
} from '@ariftly/http'
import { type Pool } from '@ariftly/store'
import { listDeliveries } from '@ariftly/store/deliveries'
import { renderDelivery } from '../deliveries/render-delivery.ts'
import { sendObjects } from '../send-list.ts'
import { refuseUnknownWebhook } from './find-webhook.ts'

/** Parameters of `GET /v1/webhooks/{id}/deliveries`; the times are those at which the event entered the log. */
const listDeliveriesQuery = {
  status: choiceParam(['pending', 'delivered', 'failed', 'cancelled']),
  type: listParam({ is: isEventType, shape: 'an event type, or several separated by commas, each once' }),
  after: instantParam(),
  before: instantParam(),
  limit: limitParam(),
  cursor: cursorParam(),
}

/** Answers `GET /v1/webhooks/{id}/deliveries`, newest event first. A page may be short, or empty, with `has_more`. */
export function createListDeliveries(o: { pool: Pool; cursors: CursorCodec }): ApiHandler {
  return async ({ caller: { tenant }, params, url }, _req, res) => {
    const query = readQuery(url, listDeliveriesQuery)
    const { id: webhookId = '' } = params
    await refuseUnknownWebhook(o.pool, tenant, webhookId)
    const filter = {
      ...(query.status === undefined ? {} : { status: query.status }),
      ...(query.type === undefined ? {} : { types: query.type.toSorted() }),
      ...(query.after === undefined ? {} : { afterMs: query.after.floorMs }),
      ...(query.before === undefined ? {} : { beforeMs: query.before.ceilMs }),
    }
    const bound = { tenant, webhookId, ...filter }
    const cursorId = query.cursor === undefined ? undefined : o.cursors.decode('deliveries', bound, query.cursor)
    const page = await listDeliveries(o.pool, {
      ...bound,
      limit: query.limit,
      ...(cursorId === undefined ? {} : { cursorId }),
    })
    const next = page.nextId === undefined ? null : o.cursors.encode('deliveries', bound, page.nextId)
    sendObjects(res, page.deliveries.map(renderDelivery), next)
  }
}
