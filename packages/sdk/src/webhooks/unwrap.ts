import { AriftlyError } from '../errors.ts'
import type { AriftlyEvent } from '../types.ts'
import { standardChecks, untimedChecks, type WebhookCheck } from './checks.ts'
import { readReceived, type ReceivedHeaders, type UnwrapOptions } from './received.ts'

/** A delivery that was verified. */
export interface Delivered {
  readonly event: AriftlyEvent
  /** The same at every attempt, redelivery and replay: handle each once. */
  readonly id: string
  /** Which webhook sent it. */
  readonly webhookId: string | undefined
  /** The posted `data`: numbers are not rounded. */
  readonly rawData: string
}

/**
 * The request is not what we signed, or cannot be known to be: answer 401. `code` is `missing_header`, `timestamp_out_of_range`, `invalid_secret`
 * or `no_match`.
 */
export class WebhookVerificationError extends AriftlyError {}

/**
 * Verifies a delivery and returns its event. `rawBody` is the received body, before any parser; `secrets` is the secret, or all
 * valid ones during a rotation. Verifies the `webhook-*` headers; with `allowUntimed`, and where those are missing,
 * `X-Ariftly-Signature`. Rejects with a WebhookVerificationError at the first failed check: `explain` lists them all.
 */
export async function unwrap(
  rawBody: string | Uint8Array,
  headers: ReceivedHeaders,
  secrets: string | readonly string[],
  options: UnwrapOptions = {},
): Promise<Delivered> {
  const received = readReceived(rawBody, headers, secrets, options)
  const { body, header } = received
  const isUntimed = options.allowUntimed === true && header('webhook-signature') === undefined
  for await (const check of isUntimed ? untimedChecks(received) : standardChecks(received)) {
    if (check.result === 'failed') throw failureOf(check, !isUntimed && header('x-ariftly-signature') !== undefined)
  }
  const text = new TextDecoder().decode(body)
  const event = JSON.parse(text) as AriftlyEvent
  return {
    event,
    id: header('webhook-id') ?? event.id,
    webhookId: header('x-ariftly-webhook-id'),
    rawData: text.slice(text.indexOf(',"data":') + ',"data":'.length, -1),
  }
}

/**
 * Every check of both signatures with its result and its reason, for finding out why `unwrap` refuses a delivery, or would. Throws a TypeError for
 * a body that was parsed, and without a secret.
 */
export async function explain(
  rawBody: string | Uint8Array,
  headers: ReceivedHeaders,
  secrets: string | readonly string[],
  options: UnwrapOptions = {},
): Promise<readonly WebhookCheck[]> {
  const received = readReceived(rawBody, headers, secrets, options)
  const checks: WebhookCheck[] = []
  for await (const check of standardChecks(received)) checks.push(check)
  for await (const check of untimedChecks(received)) checks.push(check)
  return checks
}

const CODES: Readonly<Record<WebhookCheck['check'], string>> = {
  headers: 'missing_header',
  time: 'timestamp_out_of_range',
  secrets: 'invalid_secret',
  match: 'no_match',
}

function failureOf({ check, reason }: WebhookCheck, hasUntimed: boolean): WebhookVerificationError {
  const hint = check === 'headers' && hasUntimed ? ' X-Ariftly-Signature alone is taken with allowUntimed.' : ''
  return new WebhookVerificationError(CODES[check], `The delivery cannot be verified: ${reason}.${hint}`)
}
