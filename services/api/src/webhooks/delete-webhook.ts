import { readQuery, type ApiHandler } from '@ariftly/http'
import { cancelDeliveries, deleteWebhook, type Pool } from '@ariftly/store'
import { notFound } from '../not-found.ts'
import { isWebhookId } from './find-webhook.ts'

const CANCEL_AT_ONCE = 5000
const CANCEL_ROUNDS_MAX = 40

/**
 * Answers `DELETE /v1/webhooks/{id}` with 204: the webhook gets nothing more, and what waits for it is cancelled. What a
 * very long backlog leaves over, and what a matcher writes at this moment, the worker's sweeper cancels.
 */
export function createDeleteWebhook(o: { pool: Pool }): ApiHandler {
  return async ({ caller: { tenant }, params, url }, _req, res) => {
    readQuery(url, {})
    const id = params['id'] ?? ''
    if (!isWebhookId(id)) throw notFound('webhook')
    if (!(await deleteWebhook(o.pool, { tenant, id }))) throw notFound('webhook')
    for (let round = 0; round < CANCEL_ROUNDS_MAX; round++) {
      const cancelled = await cancelDeliveries(o.pool, { tenant, webhookId: id, limit: CANCEL_AT_ONCE })
      if (cancelled < CANCEL_AT_ONCE) break
    }
    res.status(204).end()
  }
}
