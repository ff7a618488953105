import { readQuery, type ApiHandler } from '@ariftly/http'
import { type Pool } from '@ariftly/store'
import { deleteWebhook } from '@ariftly/store/webhooks'
import { cancelWaiting } from '../deliveries/cancel-waiting.ts'
import { notFound } from '../not-found.ts'
import { isWebhookId } from './find-webhook.ts'

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
    await cancelWaiting(o.pool, { tenant, webhookId: id })
    res.status(204).end()
  }
}
