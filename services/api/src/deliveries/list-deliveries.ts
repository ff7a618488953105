import type { ServerResponse } from 'node:http'
import { cursorParam, limitParam, listParam, readQuery, type ApiHandler, type CursorCodec } from '@ariftly/http'
import { type Pool } from '@ariftly/store'
import { findDeliveries } from './find-deliveries.ts'
import { listAttemptsOfDeliveries } from './list-attempts.ts'
import { type DeliveryFilter, type DeliveryRow } from '@ariftly/store/deliveries'
import { clientGone } from '../client-gone.ts'
import { refuseLongPage } from '../refuse-long-page.ts'
import { sendObjects } from '../send-list.ts'
import type { TenantGate } from '../tenant-gate.ts'
import { findWebhookId } from '../find-webhook.ts'
import { deliveryFilterParams, readDeliveryFilter, refuseTooWide, webhookFilterParams } from './delivery-filter.ts'
import { LISTED_ATTEMPTS_MAX, renderDelivery, renderWithAttempts } from './render-delivery.ts'

/** What the lists of deliveries need. `pool` has `LIST_SETTINGS`. */
interface DeliveryListDeps {
  readonly pool: Pool
  readonly gate: TenantGate
  readonly cursors: CursorCodec
}

const includeParam = listParam({ is: (text): text is 'attempts' => text === 'attempts', shape: 'attempts' })
const pageParams = { include: includeParam, limit: limitParam(), cursor: cursorParam() }

/**
 * Answers `GET /v1/deliveries`, newest first. A page may be short or empty with `has_more`, when few of the scanned deliveries
 * match. A cursor is not bound to `include`.
 */
export function createFindDeliveries(deps: DeliveryListDeps): ApiHandler {
  return async (call, _req, res) => {
    const { url } = call
    const { tenant } = call.caller
    const { include, limit, cursor, ...values } = readQuery(url, { ...deliveryFilterParams, ...pageParams })
    const filter = readDeliveryFilter(values)
    refuseTooWide(filter)
    if (include !== undefined) refuseLongPage(limit, 'attempts')
    await deps.gate(call, () => sendPage(deps, { tenant, filter, include, limit, cursor }, res), clientGone(res))
  }
}

/** Answers `GET /v1/webhooks/{id}/deliveries`: the same list with its `webhook_id`; 404 for a webhook that is not the tenant's. */
export function createListDeliveries(deps: DeliveryListDeps): ApiHandler {
  return async (call, _req, res) => {
    const { params, url } = call
    const { tenant } = call.caller
    const { include, limit, cursor, ...values } = readQuery(url, { ...webhookFilterParams, ...pageParams })
    const { id: webhookId = '' } = params
    const filter = readDeliveryFilter({ ...values, webhook_id: webhookId })
    if (include !== undefined) refuseLongPage(limit, 'attempts')
    const answer = async (): Promise<void> => {
      await findWebhookId(deps.pool, tenant, webhookId)
      await sendPage(deps, { tenant, filter, include, limit, cursor }, res)
    }
    await deps.gate(call, answer, clientGone(res))
  }
}

interface AskedPage {
  readonly tenant: string
  readonly filter: DeliveryFilter
  readonly include: readonly 'attempts'[] | undefined
  readonly limit: number
  readonly cursor: string | undefined
}

async function sendPage({ pool, cursors }: DeliveryListDeps, asked: AskedPage, res: ServerResponse): Promise<void> {
  const { tenant, filter, limit, cursor } = asked
  const bound = { tenant, ...filter }
  const cursorId = cursor === undefined ? undefined : cursors.decode('all deliveries', bound, cursor)
  const page = await findDeliveries(pool, { tenant, filter, order: 'desc', limit, cursorId })
  const next = page.nextId === undefined ? null : cursors.encode('all deliveries', bound, page.nextId)
  const entries =
    asked.include === undefined
      ? page.deliveries.map(renderDelivery)
      : await renderAllWithAttempts(pool, tenant, page.deliveries)
  sendObjects(res, entries, next)
}

async function renderAllWithAttempts(
  pool: Pool,
  tenant: string,
  deliveries: readonly DeliveryRow[],
): Promise<readonly object[]> {
  const deliveryIds = deliveries.map(({ id }) => id)
  const attempts = await listAttemptsOfDeliveries(pool, { tenant, deliveryIds, limit: LISTED_ATTEMPTS_MAX + 1 })
  return deliveries.map((delivery) => renderWithAttempts(delivery, attempts.get(delivery.id) ?? []))
}
