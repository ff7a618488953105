import { cursorParam, limitParam, readQuery, type ApiHandler, type CursorCodec } from '@ariftly/http'
import { type Pool } from '@ariftly/store'
import { listRedeliveries } from '@ariftly/store/redeliveries'
import { sendObjects } from '../send-list.ts'
import { renderRedelivery } from './render-redelivery.ts'

/** Answers `GET /v1/redeliveries`, newest first. */
export function createListRedeliveries(o: { pool: Pool; cursors: CursorCodec }): ApiHandler {
  return async ({ caller: { tenant }, url }, _req, res) => {
    const { limit, cursor } = readQuery(url, { limit: limitParam(), cursor: cursorParam() })
    const cursorId = cursor === undefined ? undefined : o.cursors.decode('redeliveries', { tenant }, cursor)
    const page = await listRedeliveries(o.pool, { tenant, limit, cursorId })
    const lastId = page.redeliveries.at(-1)?.id
    const next = page.hasMore && lastId !== undefined ? o.cursors.encode('redeliveries', { tenant }, lastId) : null
    sendObjects(res, page.redeliveries.map(renderRedelivery), next)
  }
}
