import { readQuery } from '@ariftly/http'
import { type Pool } from '@ariftly/store'
import { deleteWebhook } from '@ariftly/store/webhooks'
import { cancelWaiting } from '../deliveries/cancel-waiting.ts'
import { notFound } from '../not-found.ts'
import type { WriteHandler } from '../writes/write-handler.ts'
import { isWebhookId } from '../find-webhook.ts'

/**
 * Answers `DELETE /v1/webhooks/{id}` with 204: the webhook gets nothing more, and what waits for it is cancelled. What a
 * very long backlog leaves over, and what a matcher writes at this moment, the worker's sweeper cancels.
 */
export function createDeleteWebhook(o: { pool: Pool }): WriteHandler {
  return async ({ caller: { tenant }, params, url }, tx) => {
    readQuery(url, {})
    const id = params['id'] ?? ''
    if (!isWebhookId(id)) throw notFound('webhook')
    if (!(await deleteWebhook(tx, { tenant, id }))) throw notFound('webhook')
    return {
      status: 204,
      audit: { action: 'webhook.delete', target: id, tenant },
      after: () => cancelWaiting(o.pool, { tenant, webhookId: id }),
    }
  }
}
