import { cursorParam, limitParam, readQuery, type ApiHandler, type CursorCodec } from '@ariftly/http'
import { type Pool } from '@ariftly/store'
import { listReplays } from '@ariftly/store/replays'
import { sendObjects } from '../send-list.ts'
import { refuseUnknownWebhook } from '../find-webhook.ts'
import { renderReplay } from './render-replay.ts'

/** Answers `GET /v1/webhooks/{id}/replays`, newest first. */
export function createListReplays(o: { pool: Pool; cursors: CursorCodec }): ApiHandler {
  return async ({ caller: { tenant }, params, url }, _req, res) => {
    const { limit, cursor } = readQuery(url, { limit: limitParam(), cursor: cursorParam() })
    const { id: webhookId = '' } = params
    await refuseUnknownWebhook(o.pool, tenant, webhookId)
    const bound = { tenant, webhookId }
    const cursorId = cursor === undefined ? undefined : o.cursors.decode('replays', bound, cursor)
    const page = await listReplays(o.pool, { ...bound, limit, ...(cursorId === undefined ? {} : { cursorId }) })
    const lastId = page.replays.at(-1)?.id
    const next = page.hasMore && lastId !== undefined ? o.cursors.encode('replays', bound, lastId) : null
    sendObjects(res, page.replays.map(renderReplay), next)
  }
}
