import { readQuery, sendJson, type ApiHandler } from '@ariftly/http'
import type { Pool } from '@ariftly/store'
import { findWebhook } from '../find-webhook.ts'
import { renderWebhook } from './render-webhook.ts'

/** Answers `GET /v1/webhooks/{id}`. */
export function createGetWebhook(o: { pool: Pool }): ApiHandler {
  return async ({ caller, params, url }, _req, res) => {
    readQuery(url, {})
    sendJson(res, 200, renderWebhook(await findWebhook(o.pool, caller.tenant, params['id'] ?? '')))
  }
}
