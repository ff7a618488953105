import { createHmac } from 'node:crypto'
import { trioKey } from './secret.ts'

/** What is signed. */
export interface SignOptions {
  /** The `webhook-id`: the id of the event, the same at every attempt. No dot, no space. */
  readonly id: string
  /** Unix time in seconds of this attempt. */
  readonly timestampS: number
  /** Exactly the bytes that are sent. */
  readonly body: Uint8Array
  /** One secret, or while one is rotated the old one and then the new one. */
  readonly secrets: readonly string[]
}

/**
 * The signature headers of one attempt:
 * - `x-ariftly-signature`: hex HMAC-SHA256 of the body under the UTF-8 bytes of the oldest secret, so that it changes only when
 *   a rotation's overlap ends,
 * - of Standard Webhooks `webhook-id`, `webhook-timestamp`, `webhook-signature` (one `v1,<base64>` a secret, separated by spaces).
 *
 * Throws RangeError without a secret.
 */
export function signWebhook({ id, timestampS, body, secrets }: SignOptions): Record<string, string> {
  const [oldest] = secrets
  if (oldest === undefined) throw new RangeError('signing needs a secret')
  return {
    'x-ariftly-signature': bodySignature(body, oldest),
    'webhook-id': id,
    'webhook-timestamp': String(timestampS),
    'webhook-signature': secrets.map((secret) => `v1,${trioSignature(id, timestampS, body, secret)}`).join(' '),
  }
}

/** The value of `X-Ariftly-Signature`: `sha256=<hex>` under the UTF-8 bytes of the whole secret as shown. */
function bodySignature(body: Uint8Array, secret: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
}

/** The base64 signature of Standard Webhooks over `<id>.<timestamp>.<body>`. */
function trioSignature(id: string, timestampS: number, body: Uint8Array, secret: string): string {
  return createHmac('sha256', trioKey(secret)).update(`${id}.${timestampS}.`).update(body).digest('base64')
}
