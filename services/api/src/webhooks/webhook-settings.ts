import { filterOf } from '@ariftly/events'
import type { Keyring } from '@ariftly/keyring'
import type { WebhookSettings } from '@ariftly/store/webhooks'
import { webhookAad } from '@ariftly/webhook-sending'
import type { WebhookBody } from './webhook-body.ts'

/** What the store keeps for the members that were given; header values are sealed for this webhook alone. */
export function settingsOf(
  body: WebhookBody,
  o: { readonly tenant: string; readonly id: string; readonly keyring: Pick<Keyring, 'seal'> },
): Partial<WebhookSettings> {
  return {
    ...(body.url === undefined ? {} : { url: body.url }),
    ...(body.events === undefined ? {} : { events: body.events }),
    ...filterOf(body),
    ...(body.description === undefined ? {} : { description: body.description }),
    ...(body.enabled === undefined ? {} : { enabled: body.enabled }),
    ...(body.rate_limit === undefined ? {} : { rateLimit: body.rate_limit }),
    ...(body.ordering === undefined ? {} : { ordering: body.ordering }),
    ...(body.filter === undefined ? {} : { filter: body.filter === null ? null : JSON.stringify(body.filter) }),
    ...(body.headers === undefined ? {} : headerSettings(body.headers ?? {}, o)),
  }
}

function headerSettings(
  headers: Readonly<Record<string, string>>,
  o: { readonly tenant: string; readonly id: string; readonly keyring: Pick<Keyring, 'seal'> },
): Pick<WebhookSettings, 'headerNames' | 'headers'> {
  const headerNames = Object.keys(headers)
  const sealed = (): Buffer => o.keyring.seal(Buffer.from(JSON.stringify(headers)), webhookAad(o.tenant, o.id))
  return { headerNames, headers: headerNames.length === 0 ? null : sealed() }
}
