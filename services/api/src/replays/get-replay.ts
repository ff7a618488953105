import { readQuery, sendJson, type ApiHandler } from '@ariftly/http'
import type { Pool } from '@ariftly/store'
import { findReplay } from './find-replay.ts'
import { renderReplay } from './render-replay.ts'

/** Answers `GET /v1/webhooks/{id}/replays/{replay}` with its progress. */
export function createGetReplay(o: { pool: Pool }): ApiHandler {
  return async ({ caller: { tenant }, params, url }, _req, res) => {
    readQuery(url, {})
    sendJson(res, 200, renderReplay(await findReplay(o.pool, tenant, params)))
  }
}
