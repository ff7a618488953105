import { randomBytes } from 'node:crypto'
import type { EgressRequest } from '@ariftly/egress'
import { renderEvent } from '@ariftly/events'
import type { Keyring } from '@ariftly/keyring'
import { Fault } from '@ariftly/runtime'
import { signWebhook } from '@ariftly/signatures'
import type { StartedAttempt } from '@ariftly/store'

/**
 * The signed POST of an attempt: the event object as body, our headers over the subscriber's own. Signature and timestamp
 * are of this attempt, the `webhook-id` is the event's. Throws a Fault when a secret cannot be opened.
 */
export function buildRequest(
  attempt: StartedAttempt & { readonly event: NonNullable<StartedAttempt['event']> },
  o: { readonly keyring: Keyring; readonly nowMs: number; readonly timeoutMs: number },
): EgressRequest {
  const body = renderEvent(attempt.event)
  const aad = `webhook:${attempt.tenant}:${attempt.webhookId}`
  const sealed = attempt.previousSecret === null ? [attempt.secret] : [attempt.previousSecret, attempt.secret]
  const secrets = sealed.map((secret) => unseal(o.keyring, secret, aad))
  const own = attempt.headers === null ? {} : readHeaders(unseal(o.keyring, attempt.headers, aad))
  return {
    url: new URL(attempt.url),
    headers: {
      ...own,
      'content-type': 'application/json',
      'user-agent': 'Ariftly-Webhooks/1',
      ...signWebhook({ id: attempt.event.id, timestampS: Math.floor(o.nowMs / 1000), body, secrets }),
      'x-ariftly-webhook-id': attempt.webhookId,
      traceparent: childTrace(attempt.traceparent),
    },
    body,
    timeoutMs: o.timeoutMs,
  }
}

function unseal(keyring: Keyring, sealed: Buffer, aad: string): string {
  const plain = keyring.open(sealed, aad)
  if (plain === undefined) {
    throw new Fault({ code: 'secret_sealed', message: 'a secret of the webhook cannot be opened with ENCRYPTION_KEYS' })
  }
  return plain.toString('utf8')
}

function readHeaders(json: string): Record<string, string> {
  const parsed: unknown = JSON.parse(json)
  if (typeof parsed !== 'object' || parsed === null) return {}
  return Object.fromEntries(Object.entries(parsed).map(([name, value]) => [name.toLowerCase(), String(value)]))
}

/** W3C trace context: the record's trace with a span of ours, or a trace of our own. */
function childTrace(parent: string | null): string {
  const [, trace, flags] = /^00-([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})$/.exec(parent ?? '') ?? []
  return `00-${trace ?? randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-${flags ?? '01'}`
}
