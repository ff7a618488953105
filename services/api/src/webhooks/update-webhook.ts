import type { EgressPolicy } from '@ariftly/egress'
import { readQuery } from '@ariftly/http'
import type { Keyring } from '@ariftly/keyring'
import { updateWebhook } from '@ariftly/store/webhooks'
import { notFound } from '../not-found.ts'
import type { WriteHandler } from '../writes/write-handler.ts'
import { findWebhook, isWebhookId } from '../find-webhook.ts'
import { renderWebhook } from './render-webhook.ts'
import { readWebhookChanges } from './webhook-body.ts'
import { settingsOf } from './webhook-settings.ts'

/**
 * Answers `PATCH /v1/webhooks/{id}`: changes the members that are given, null clears one. A URL of another origin clears the
 * headers unless they are given too.
 */
export function createUpdateWebhook(o: { keyring: Pick<Keyring, 'seal'>; policy: EgressPolicy }): WriteHandler {
  return async ({ caller: { tenant }, params, url, body }, tx) => {
    readQuery(url, {})
    const id = params['id'] ?? ''
    if (!isWebhookId(id)) throw notFound('webhook')
    const changes = settingsOf(readWebhookChanges(body, { policy: o.policy }), { tenant, id, keyring: o.keyring })
    const unchanged = Object.keys(changes).length === 0
    const row = unchanged ? await findWebhook(tx, tenant, id) : await updateWebhook(tx, { tenant, id, changes })
    if (row === undefined) throw notFound('webhook')
    const answer = { status: 200, body: renderWebhook(row) } as const
    return unchanged ? answer : { ...answer, audit: { action: 'webhook.update', target: id, tenant } }
  }
}
