import { randomFillSync } from 'node:crypto'
import type { EgressRequest } from '@ariftly/egress'
import type { Keyring } from '@ariftly/keyring'
import { Fault } from '@ariftly/runtime'
import { formatTraceparent, normalTraceparent, type TraceContext } from '@ariftly/trace-context'
import type { OutgoingWebhook, WebhookFormat } from './webhook-format.ts'

/** What a webhook's secrets and headers are sealed for. */
export function webhookAad(tenant: string, id: string): string {
  return `webhook:${tenant}:${id}`
}

/**
 * The signed POST of an attempt: the body of the format, its headers over the subscriber's own. Throws a Fault when a secret cannot be
 * opened.
 */
export function buildRequest(
  webhook: OutgoingWebhook,
  o: {
    readonly format: Pick<WebhookFormat, 'body' | 'headers'>
    readonly keyring: Pick<Keyring, 'open'>
    readonly nowMs: number
    readonly timeoutMs: number
    /** The span of the attempt, if it is recorded. */
    readonly span: TraceContext | undefined
  },
): EgressRequest {
  const { format, nowMs, timeoutMs } = o
  const body = format.body(webhook.event)
  const aad = webhookAad(webhook.tenant, webhook.webhookId)
  const sealed = webhook.previousSecret === null ? [webhook.secret] : [webhook.previousSecret, webhook.secret]
  const secrets = sealed.map((secret) => unseal(o.keyring, secret, aad))
  const own = webhook.headers === null ? {} : readHeaders(unseal(o.keyring, webhook.headers, aad))
  const traceparent = o.span === undefined ? childTrace(webhook.traceparent) : formatTraceparent(o.span)
  return {
    url: new URL(webhook.url),
    headers: { ...own, ...format.headers({ webhook, body, secrets, nowMs, traceparent }) },
    body,
    timeoutMs,
  }
}

function unseal(keyring: Pick<Keyring, 'open'>, sealed: Buffer, aad: string): string {
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
  // `00-`, 32 digits of the trace, 16 of the parent, 2 of the flags.
  const known = normalTraceparent(parent)
  return `00-${known?.slice(3, 35) ?? randomHex(16)}-${randomHex(8)}-${known?.slice(-2) ?? '01'}`
}

const pool = Buffer.alloc(8192)
let used = pool.length

/** Random bytes in hex, drawn from the system many at a time. For ids, never for secrets. */
function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += bytes
  return pool.toString('hex', used - bytes, used)
}
