import { randomBytes } from 'node:crypto'

/** Prefix of base64 secrets, as in Standard Webhooks ("Signature scheme: symmetric"). */
const PREFIX = 'whsec_'
const KEY_BYTES_MIN = 24
const CHARS_MIN = 8
const CHARS_MAX = 256

/** What `checkSecret` says; `code` and `message` are fit for a 422 problem at `/secret`. */
export type SecretVerdict =
  { readonly ok: true } | { readonly ok: false; readonly code: string; readonly message: string }

/**
 * Checks a secret that a tenant has chosen: 8 to 256 printable ASCII characters (so that its UTF-8 bytes are the same for every
 * receiver); after `whsec_` canonical base64 of at least 24 bytes (so that every library decodes the same key).
 */
export function checkSecret(secret: string): SecretVerdict {
  if (secret.length < CHARS_MIN || secret.length > CHARS_MAX) {
    return refuse('length', `must have ${CHARS_MIN} to ${CHARS_MAX} characters`)
  }
  if (!/^[\x20-\x7e]+$/.test(secret)) {
    return refuse('printable_ascii', 'must consist of printable ASCII characters')
  }
  if (!secret.startsWith(PREFIX)) return { ok: true }
  const encoded = secret.slice(PREFIX.length)
  const key = Buffer.from(encoded, 'base64')
  if (key.toString('base64') !== encoded) {
    return refuse('base64', 'must be padded standard base64 after whsec_')
  }
  if (key.length < KEY_BYTES_MIN) {
    return refuse('too_short', `must hold at least ${KEY_BYTES_MIN} bytes in base64 after whsec_`)
  }
  return { ok: true }
}

/** A fresh secret `whsec_<base64 of 32 random bytes>`. `random` gives that many bytes (default: the system's). */
export function generateSecret(random: (bytes: number) => Buffer = randomBytes): string {
  return PREFIX + random(32).toString('base64')
}

/**
 * The HMAC key of the three Standard Webhooks headers: the decoded rest of `whsec_…`, otherwise the UTF-8 bytes of the secret
 * (receivers: `new Webhook(secret, { format: 'raw' })`).
 */
export function trioKey(secret: string): Buffer {
  return secret.startsWith(PREFIX) ? Buffer.from(secret.slice(PREFIX.length), 'base64') : Buffer.from(secret, 'utf8')
}

function refuse(code: string, message: string): SecretVerdict {
  return { ok: false, code, message }
}
