import { newTypeId } from '@ariftly/events'
import { Problem, readQuery } from '@ariftly/http'
import { DRY_RUNS_MAX, findRunningRedelivery, insertRedelivery } from '@ariftly/store/redeliveries'
import type { WriteHandler } from '../writes/write-handler.ts'
import { readRedelivery } from './redelivery-body.ts'
import { renderRedelivery } from './render-redelivery.ts'

/**
 * Answers `POST /v1/deliveries/redeliver` with 202 and the redelivery, which the webhook worker carries out. A second one of the
 * tenant meanwhile is 409 and names the first. Dry runs do not count for that: of them ten may run at a time.
 */
export function createCreateRedelivery(o: { now?: () => number } = {}): WriteHandler {
  const now = o.now ?? Date.now

  return async ({ caller: { tenant }, url, body }, tx) => {
    readQuery(url, {})
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
