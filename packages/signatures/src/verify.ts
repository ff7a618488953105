import { timingSafeEqual } from 'node:crypto'
import { bodySignature, trioSignature } from './sign.ts'

/** Headers as node:http, express or fetch give them; names in any case. */
export type ReceivedHeaders =
  Readonly<Record<string, string | readonly string[] | undefined>> | { readonly get: (name: string) => string | null }

/** How strict `verify` is about time. */
export interface VerifyOptions {
  /** How far `webhook-timestamp` may be from now, in seconds, either way. Default 300. */
  readonly toleranceSeconds?: number
  /** Now in Unix seconds. */
  readonly nowS?: number
}

/** What `verify` found; a receiver answers 401 to anything but `ok`. */
export type Verification =
  | { readonly ok: true; readonly id: string; readonly timestampS: number }
  | {
      readonly ok: false
      readonly reason: 'missing_header' | 'bad_timestamp' | 'timestamp_too_old' | 'timestamp_too_new' | 'no_match'
    }

/**
 * For receivers: verifies the Standard Webhooks trio in constant time. `payload` is the raw body as it arrived, never
 * re-serialised; `secrets` holds every secret that is valid now (two while one is rotated).
 * Dedupe by the returned `id`. Never throws.
 */
export function verify(
  payload: string | Uint8Array,
  headers: ReceivedHeaders,
  secrets: string | readonly string[],
  { toleranceSeconds = 300, nowS = Math.floor(Date.now() / 1000) }: VerifyOptions = {},
): Verification {
  const id = headerOf(headers, 'webhook-id')
  const timestamp = headerOf(headers, 'webhook-timestamp')
  const signatures = headerOf(headers, 'webhook-signature')
  if (!id || !timestamp || !signatures) return { ok: false, reason: 'missing_header' }
  if (!/^\d{1,15}$/.test(timestamp)) return { ok: false, reason: 'bad_timestamp' }
  const timestampS = Number(timestamp)
  if (timestampS < nowS - toleranceSeconds) return { ok: false, reason: 'timestamp_too_old' }
  if (timestampS > nowS + toleranceSeconds) return { ok: false, reason: 'timestamp_too_new' }
  const body = typeof payload === 'string' ? Buffer.from(payload, 'utf8') : payload
  const received = signatures.split(' ').filter((part) => part.startsWith('v1,'))
  let matched = false
  for (const secret of typeof secrets === 'string' ? [secrets] : secrets) {
    const expected = `v1,${trioSignature(id, timestampS, body, secret)}`
    for (const part of received) matched = equal(part, expected) || matched
  }
  return matched ? { ok: true, id, timestampS } : { ok: false, reason: 'no_match' }
}

/** Verifies `X-Ariftly-Signature` alone, in constant time. It does not check the age: prefer `verify`. */
export function verifyBody(payload: string | Uint8Array, signature: string, secret: string): boolean {
  const body = typeof payload === 'string' ? Buffer.from(payload, 'utf8') : payload
  return equal(signature, bodySignature(body, secret))
}

function headerOf(headers: ReceivedHeaders, name: string): string | undefined {
  if (typeof headers.get === 'function') return headers.get(name) ?? undefined
  for (const [key, value] of Object.entries(headers)) {
    if (key.toLowerCase() !== name) continue
    return typeof value === 'string'
      ? value
      : Array.isArray(value) && typeof value[0] === 'string'
        ? value[0]
        : undefined
  }
  return undefined
}

function equal(a: string, b: string): boolean {
  const left = Buffer.from(a, 'utf8')
  const right = Buffer.from(b, 'utf8')
  return left.length === right.length && timingSafeEqual(left, right)
}
