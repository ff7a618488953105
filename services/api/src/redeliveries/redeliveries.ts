import { newTypeId } from '@ariftly/events'
import { Problem, readQuery, sendJson, type ApiHandler } from '@ariftly/http'
import {
  cancelRedelivery,
  DRY_RUNS_MAX,
  findRunningRedelivery,
  getRedelivery,
  insertRedelivery,
  listRedeliveries,
  type RedeliveryRow,
} from '@ariftly/store/redeliveries'
import { notFound, pathId } from '../not-found.ts'
import { byId, pageParams, sendPage, type ListDeps } from '../send-list.ts'
import { timeOf } from '../time-of.ts'
import type { WriteHandler } from '../writes/write-handler.ts'
import { readRedelivery } from './redelivery-body.ts'

/** Makes the handlers of `/v1/redeliveries…`. */
export function createRedeliveryHandlers({
  pool,
  cursors,
}: ListDeps): Readonly<Record<'listRedeliveries' | 'getRedelivery' | 'cancelRedelivery', ApiHandler>> {
  function answerWith(find: typeof getRedelivery): ApiHandler {
    return async ({ caller: { tenant }, params, url }, _req, res) => {
      readQuery(url, {})
      const row = await find(pool, { tenant, id: pathId('rdl', params['id']) })
      if (row === undefined) throw notFound('redelivery')
      sendJson(res, 200, renderRedelivery(row))
    }
  }
  return {
    /** Newest first. */
    async listRedeliveries({ caller: { tenant }, url }, _req, res) {
      const query = readQuery(url, pageParams)
      const bound = { tenant }
      const list = { cursors, name: 'redeliveries', bound, query, render: renderRedelivery, placeOf: byId }
      await sendPage(res, { ...list, read: (page) => listRedeliveries(pool, { tenant, ...page }) })
    },
    /** With its progress. */
    getRedelivery: answerWith(getRedelivery),
    /** No further delivery is made pending. Deliveries that are pending already are still sent; a finished redelivery is not changed. */
    cancelRedelivery: answerWith(cancelRedelivery),
  }
}

/**
 * Answers `POST /v1/deliveries/redeliver` with 202 and the redelivery, which the webhook worker carries out. A second one of the
 * tenant meanwhile is 409 and names the first. Dry runs do not count for that: of them ten may run at a time.
 */
export function createCreateRedelivery(now: () => number = Date.now): WriteHandler {
  return async ({ caller: { tenant }, body }, tx) => {
    const nowMs = now()
    const { filter, dryRun } = readRedelivery(body, nowMs)
    const id = newTypeId('rdl', nowMs)
    const row = await insertRedelivery(tx, { id, tenant, filter: JSON.stringify(filter), dryRun })
    if (row === 'under_way') throw underWay(dryRun, await findRunningRedelivery(tx, { tenant, dryRun }))
    return { status: 202, body: renderRedelivery(row), headers: { Location: `/v1/redeliveries/${id}` } }
  }
}

/** `runningId` is undefined when it has ended since. */
function underWay(dryRun: boolean, runningId: string | undefined): Problem {
  const running = dryRun ? `${DRY_RUNS_MAX} dry runs of this tenant are` : 'A redelivery of this tenant is'
  return new Problem(409, 'redelivery_under_way', {
    detail: `${running} running: wait for an end or cancel one.`,
    ...(runningId === undefined ? {} : { extra: { redelivery_id: runningId } }),
  })
}

/** The redelivery object: the request and its progress. On a dry run `delivery_count` counts the deliveries that would be sent. */
export function renderRedelivery(row: RedeliveryRow): Record<string, unknown> {
  return {
    object: 'redelivery',
    id: row.id,
    status: row.state,
    dry_run: row.dryRun,
    filter: JSON.parse(row.filter) as unknown,
    scanned_count: row.scannedCount,
    delivery_count: row.deliveryCount,
    created_at: timeOf(row.createdAtMs),
    updated_at: timeOf(row.updatedAtMs),
    finished_at: timeOf(row.finishedAtMs),
  }
}
