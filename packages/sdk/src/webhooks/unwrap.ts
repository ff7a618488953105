import { AriftlyError } from '../errors.ts'
import type { Event } from '../types.ts'
import { areEqual, bodySignature, trioSignature } from './signature.ts'

/** Headers as fetch, node:http or a framework gives them; names in any case. */
export type ReceivedHeaders =
  Readonly<Record<string, string | readonly string[] | undefined>> | { readonly get: (name: string) => string | null }

/** A delivery that was verified. */
export interface Delivered {
  readonly event: Event
  /** The same at every attempt, redelivery and replay: handle each once. */
  readonly id: string
  /** Which webhook sent it. */
  readonly webhookId: string | undefined
  /** `data` as it was posted: numbers are not rounded. */
  readonly rawData: string
}

/** How strict `unwrap` is. */
export interface UnwrapOptions {
  /** How far the time of signing may be from now, either way; default 300 s. */
  readonly toleranceS?: number
  /** Unix seconds; default: now. */
  readonly nowS?: number
}

/** The request is not what we signed, or cannot be known to be: answer 401. */
export class WebhookVerificationError extends AriftlyError {}

/**
 * Verifies a delivery and answers with its event. `rawBody` is the body as it came, before any parser; `secrets` is the secret, or all that are
 * valid while one is rotated. Verifies the Standard Webhooks headers, and where a proxy dropped those `X-Ariftly-Signature`, which says nothing
 * about age. Rejects with a WebhookVerificationError.
 */
export async function unwrap(
  rawBody: string | Uint8Array,
  headers: ReceivedHeaders,
  secrets: string | readonly string[],
  options: UnwrapOptions = {},
): Promise<Delivered> {
  const body = bytesOf(rawBody)
  const list = typeof secrets === 'string' ? [secrets] : secrets
  if (list.length === 0 || list.includes('')) throw new TypeError('A secret is needed to verify a delivery.')
  const signatures = headerOf(headers, 'webhook-signature')
  if (signatures === undefined) await verifyBody(body, headers, list)
  else await verifyTrio(body, headers, { ...options, signatures, secrets: list })
  const text = new TextDecoder().decode(body)
  const event = JSON.parse(text) as Event
  return {
    event,
    id: headerOf(headers, 'webhook-id') ?? event.id,
    webhookId: headerOf(headers, 'x-ariftly-webhook-id'),
    rawData: text.slice(text.indexOf(',"data":') + ',"data":'.length, -1),
  }
}

async function verifyTrio(
  body: Uint8Array,
  headers: ReceivedHeaders,
  options: UnwrapOptions & { readonly signatures: string; readonly secrets: readonly string[] },
): Promise<void> {
  const { toleranceS = 300, nowS = Math.floor(Date.now() / 1000), signatures, secrets } = options
  const id = headerOf(headers, 'webhook-id') ?? ''
  const timestamp = headerOf(headers, 'webhook-timestamp') ?? ''
  if (id === '' || !/^\d{1,15}$/.test(timestamp)) {
    throw failure('missing_header', 'webhook-id or webhook-timestamp is missing')
  }
  if (Math.abs(nowS - Number(timestamp)) > toleranceS) {
    throw failure('timestamp_out_of_range', `it was signed more than ${toleranceS} s from now: is the clock right?`)
  }
  let isMatched = false
  for (const secret of secrets) {
    const expected = await trioSignature(secret, id, timestamp, body)
    for (const signature of signatures.split(' ')) isMatched = areEqual(signature, expected) || isMatched
  }
  if (!isMatched) throw failure('no_match', 'no signature fits the body under the given secrets')
}

async function verifyBody(body: Uint8Array, headers: ReceivedHeaders, secrets: readonly string[]): Promise<void> {
  const signature = headerOf(headers, 'x-ariftly-signature')
  if (signature === undefined) throw failure('missing_header', 'it carries no signature')
  let isMatched = false
  for (const secret of secrets) isMatched = areEqual(signature, await bodySignature(secret, body)) || isMatched
  if (!isMatched) throw failure('no_match', 'the signature does not fit the body under the given secrets')
}

function failure(code: string, why: string): WebhookVerificationError {
  return new WebhookVerificationError(code, `The delivery cannot be verified: ${why}.`)
}

function bytesOf(body: unknown): Uint8Array {
  if (typeof body === 'string') return new TextEncoder().encode(body)
  if (body instanceof Uint8Array) return body
  throw new TypeError(
    'The body was parsed before it was verified, and what was signed is gone. Give the raw body: with express, put the receiver before ' +
      "app.use(express.json()), or use express.raw({ type: 'application/json' }) on its route.",
  )
}

function headerOf(headers: ReceivedHeaders, name: string): string | undefined {
  if (typeof headers.get === 'function') return headers.get(name) ?? undefined
  const found = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1]
  return typeof found === 'string' ? found : (found as readonly string[] | undefined)?.[0]
}
