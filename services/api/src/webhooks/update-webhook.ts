import type { EgressPolicy } from '@ariftly/egress'
import { readQuery, sendJson, type ApiHandler } from '@ariftly/http'
import type { Keyring } from '@ariftly/keyring'
import { type Pool } from '@ariftly/store'
import { updateWebhook } from '@ariftly/store/webhooks'
import { notFound } from '../not-found.ts'
import { findWebhook, isWebhookId } from './find-webhook.ts'
import { renderWebhook } from './render-webhook.ts'
import { readWebhookChanges } from './webhook-body.ts'
import { settingsOf } from './webhook-settings.ts'

/**
 * Answers `PATCH /v1/webhooks/{id}`: changes the members that are given, null clears one. A URL of another origin clears the
 * headers unless they are given too.
 */
export function createUpdateWebhook(o: {
  pool: Pool
  keyring: Pick<Keyring, 'seal'>
  policy: EgressPolicy
}): ApiHandler {
  return async ({ caller: { tenant }, params, url, body }, _req, res) => {
    readQuery(url, {})
    const id = params['id'] ?? ''
    if (!isWebhookId(id)) throw notFound('webhook')
    const changes = settingsOf(readWebhookChanges(body, o.policy), { tenant, id, keyring: o.keyring })
    const unchanged = Object.keys(changes).length === 0
    const row = unchanged ? await findWebhook(o.pool, tenant, id) : await updateWebhook(o.pool, { tenant, id, changes })
    if (row === undefined) throw notFound('webhook')
    sendJson(res, 200, renderWebhook(row))
  }
}
