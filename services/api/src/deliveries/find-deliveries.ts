import { cursorParam, limitParam, readQuery, type ApiHandler, type CursorCodec } from '@ariftly/http'
import { type Pool } from '@ariftly/store'
import { findDeliveries } from '@ariftly/store/deliveries'
import { clientGone } from '../client-gone.ts'
import { sendObjects } from '../send-list.ts'
import type { TenantGate } from '../tenant-gate.ts'
import { deliveryFilterParams, readDeliveryFilter, refuseTooWide } from './delivery-filter.ts'
import { renderDelivery } from './render-delivery.ts'

const findDeliveriesQuery = { ...deliveryFilterParams, limit: limitParam(), cursor: cursorParam() }

/**
 * Answers `GET /v1/deliveries`, newest first. A page may be short, or empty, with `has_more`, when few of the deliveries that
 * it looks at are wanted. `pool` has `LIST_SETTINGS`.
 */
export function createFindDeliveries(o: { pool: Pool; gate: TenantGate; cursors: CursorCodec }): ApiHandler {
  return async ({ caller: { tenant }, url }, _req, res) => {
    const { limit, cursor, ...values } = readQuery(url, findDeliveriesQuery)
    const filter = readDeliveryFilter(values)
    refuseTooWide(filter)
    const bound = { tenant, ...filter }
    const cursorId = cursor === undefined ? undefined : o.cursors.decode('all deliveries', bound, cursor)
    const list = { tenant, filter, order: 'desc', limit, ...(cursorId === undefined ? {} : { cursorId }) } as const
    const page = await o.gate(tenant, () => findDeliveries(o.pool, list), clientGone(res))
    const next = page.nextId === undefined ? null : o.cursors.encode('all deliveries', bound, page.nextId)
    sendObjects(res, page.deliveries.map(renderDelivery), next)
  }
}
