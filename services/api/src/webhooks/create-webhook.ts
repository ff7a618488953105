import { WEBHOOK_LIMITS } from '@ariftly/contract'
import type { EgressPolicy } from '@ariftly/egress'
import { newTypeId } from '@ariftly/events'
import { Problem, readQuery } from '@ariftly/http'
import type { Keyring } from '@ariftly/keyring'
import { generateSecret } from '@ariftly/signatures'
import { insertWebhook } from '@ariftly/store/webhooks'
import { webhookAad } from '@ariftly/webhook-sending'
import type { WriteHandler } from '../writes/write-handler.ts'
import { renderWithSecret } from './render-webhook.ts'
import { readNewWebhook } from './webhook-body.ts'
import { settingsOf } from './webhook-settings.ts'

/** Answers `POST /v1/webhooks`: 201 with the webhook and, this once, its secret; 409 beyond the limit of the tenant. */
export function createCreateWebhook(o: { keyring: Pick<Keyring, 'seal'>; policy: EgressPolicy }): WriteHandler {
  return async ({ caller: { tenant, limits }, url, body }, tx) => {
    const webhooksMax = limits.webhooks ?? WEBHOOK_LIMITS.webhooksPerTenantMax
    readQuery(url, {})
    const given = readNewWebhook(body, { policy: o.policy })
    const id = newTypeId('whk')
    const secret = given.secret ?? generateSecret()
    const row = await insertWebhook(
      tx,
      {
        ...DEFAULTS,
        ...settingsOf(given, { tenant, id, keyring: o.keyring }),
        url: given.url,
        events: given.events,
        id,
        tenant,
        secret: o.keyring.seal(Buffer.from(secret), webhookAad(tenant, id)),
      },
      webhooksMax,
    )
    if (row === 'too_many') throw tooMany(webhooksMax)
    return {
      status: 201,
      body: renderWithSecret(row, secret),
      headers: { Location: `/v1/webhooks/${id}` },
      audit: { action: 'webhook.create', target: id, tenant },
    }
  }
}

const DEFAULTS = {
  taskId: null,
  sessionId: null,
  agent: null,
  description: null,
  enabled: true,
  headerNames: [],
  headers: null,
  rateLimit: null,
  ordering: 'none',
  filter: null,
} as const

function tooMany(max: number): Problem {
  return new Problem(409, 'too_many_webhooks', {
    detail: `This tenant has at most ${max} webhooks: delete one first.`,
  })
}
