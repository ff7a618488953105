import type { EgressPolicy } from '@ariftly/egress'
import { newTypeId } from '@ariftly/events'
import { Problem, readQuery, sendJson, type ApiHandler } from '@ariftly/http'
import type { Keyring } from '@ariftly/keyring'
import { generateSecret } from '@ariftly/signatures'
import { type Pool } from '@ariftly/store'
import { insertWebhook } from '@ariftly/store/webhooks'
import { webhookAad } from '@ariftly/webhook-sending'
import { renderWebhook } from './render-webhook.ts'
import { readNewWebhook } from './webhook-body.ts'
import { WEBHOOK_LIMITS } from './webhook-limits.ts'
import { settingsOf } from './webhook-settings.ts'

/** Answers `POST /v1/webhooks`: 201 with the webhook and, this once, its secret. The 101st of a tenant is 409. */
export function createCreateWebhook(o: {
  pool: Pool
  keyring: Pick<Keyring, 'seal'>
  policy: EgressPolicy
}): ApiHandler {
  return async ({ caller: { tenant }, url, body }, _req, res) => {
    readQuery(url, {})
    const given = readNewWebhook(body, o.policy)
    const id = newTypeId('whk')
    const secret = given.secret ?? generateSecret()
    const row = await insertWebhook(
      o.pool,
      {
        ...DEFAULTS,
        ...settingsOf(given, { tenant, id, keyring: o.keyring }),
        url: given.url,
        events: given.events,
        id,
        tenant,
        secret: o.keyring.seal(Buffer.from(secret), webhookAad(tenant, id)),
      },
      WEBHOOK_LIMITS.webhooksPerTenantMax,
    )
    if (row === 'too_many') throw tooMany()
    sendJson(res, 201, { ...renderWebhook(row), secret }, { Location: `/v1/webhooks/${id}` })
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

function tooMany(): Problem {
  return new Problem(409, 'too_many_webhooks', {
    detail: `A tenant has at most ${WEBHOOK_LIMITS.webhooksPerTenantMax} webhooks: delete one first.`,
  })
}
