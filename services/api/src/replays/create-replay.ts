import { newTypeId } from '@ariftly/events'
import { Problem, readQuery } from '@ariftly/http'
import { insertReplay } from '@ariftly/store/replays'
import { refuseUnknownWebhook } from '../find-webhook.ts'
import type { WriteHandler } from '../writes/write-handler.ts'
import { renderReplay } from './render-replay.ts'
import { readReplay } from './replay-body.ts'

/**
 * Answers `POST /v1/webhooks/{id}/replay` with 202 and the replay, which the webhook worker carries out. While the webhook
 * is disabled what it makes waits like any delivery. A second one of the same kind (real or dry run) meanwhile is 409.
 */
export function createCreateReplay(o: { now?: () => number } = {}): WriteHandler {
  const now = o.now ?? Date.now

  return async ({ caller: { tenant }, params, url, body }, tx) => {
    readQuery(url, {})
    const nowMs = now()
    const { status, ...asked } = readReplay(body, nowMs)
    const { id: webhookId = '' } = params
    await refuseUnknownWebhook(tx, tenant, webhookId)
    const id = newTypeId('rpl', nowMs)
    const replay = await insertReplay(tx, { ...asked, deliveryStatus: status, id, tenant, webhookId })
    if (replay === 'under_way') throw underWay(asked.dryRun)
    const headers = { Location: `/v1/webhooks/${webhookId}/replays/${id}` }
    return { status: 202, body: renderReplay(replay), headers }
  }
}

function underWay(dryRun: boolean): Problem {
  const what = dryRun ? 'A dry run' : 'A replay'
  return new Problem(409, 'replay_under_way', {
    detail: `${what} of this webhook is running: wait for its end or cancel it.`,
  })
}
