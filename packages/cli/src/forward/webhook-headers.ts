import { signWebhook } from '@ariftly/signatures'
import type { ForwardedEvent } from './outcome.ts'

/** Values of which the headers of an attempt are made. */
export interface WebhookHeadersOptions {
  readonly secret: string
  /** Undefined where events are forwarded without a webhook of the API. */
  readonly webhookId: string | undefined
  /** Unix milliseconds of the attempt. */
  readonly nowMs: number
}

/**
 * The headers of an attempt, as the platform sends them: both signatures, of this attempt; `webhook-id` is the event's. There is no `traceparent`:
 * a stream does not carry it.
 */
export function webhookHeaders(
  { id, body }: ForwardedEvent,
  o: WebhookHeadersOptions,
): Readonly<Record<string, string>> {
  return {
    'content-type': 'application/json',
    'user-agent': 'Ariftly-Webhooks/1',
    ...signWebhook({ id, timestampS: Math.floor(o.nowMs / 1000), body, secrets: [o.secret] }),
    ...(o.webhookId === undefined ? {} : { 'x-ariftly-webhook-id': o.webhookId }),
  }
}
