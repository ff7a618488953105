import { cursorParam, limitParam, readQuery, type ApiHandler, type CursorCodec } from '@ariftly/http'
import { type Pool } from '@ariftly/store'
import { listWebhooks } from '@ariftly/store/webhooks'
import { sendObjects } from '../send-list.ts'
import { renderWebhook } from './render-webhook.ts'

/** Answers `GET /v1/webhooks`, newest first. */
export function createListWebhooks(o: { pool: Pool; cursors: CursorCodec }): ApiHandler {
  return async ({ caller: { tenant }, url }, _req, res) => {
    const { limit, cursor } = readQuery(url, { limit: limitParam(), cursor: cursorParam() })
    const cursorId = cursor === undefined ? undefined : o.cursors.decode('webhooks', { tenant }, cursor)
    const page = await listWebhooks(o.pool, { tenant, limit, ...(cursorId === undefined ? {} : { cursorId }) })
    const lastId = page.webhooks.at(-1)?.id
    const next = page.hasMore && lastId !== undefined ? o.cursors.encode('webhooks', { tenant }, lastId) : null
    sendObjects(res, page.webhooks.map(renderWebhook), next)
  }
}
