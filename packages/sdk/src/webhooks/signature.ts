import { utf8Length } from '../send/encode-event.ts'

const PREFIX = 'whsec_'
const encoder = new TextEncoder()

/** HMAC-SHA256 of `id.timestamp.body` in base64, as Standard Webhooks says (1.0, "Signature scheme: symmetric"). */
export async function trioSignature(
  secret: string,
  id: string,
  timestampS: number | string,
  body: Uint8Array,
): Promise<string> {
  const head = encoder.encode(`${id}.${timestampS}.`)
  const signed = new Uint8Array(head.length + body.length)
  signed.set(head)
  signed.set(body, head.length)
  const bytes = await hmac(trioKey(secret), signed)
  return `v1,${btoa(String.fromCharCode(...bytes))}`
}

/** `sha256=<hex>` of the body under the whole secret as shown. */
export async function bodySignature(secret: string, body: Uint8Array): Promise<string> {
  const bytes = await hmac(encoder.encode(secret), body)
  return `sha256=${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`
}

/** Whether two texts are equal, in constant time. */
export function areEqual(a: string, b: string): boolean {
  if (utf8Length(a) !== utf8Length(b)) return false
  let difference = 0
  for (let at = 0; at < a.length; at += 1) difference |= a.charCodeAt(at) ^ b.charCodeAt(at)
  return difference === 0
}

/** After `whsec_` the key is base64 (throws if not); any other secret is its UTF-8 bytes. */
export function trioKey(secret: string): Uint8Array {
  if (!secret.startsWith(PREFIX)) return encoder.encode(secret)
  return Uint8Array.from(atob(secret.slice(PREFIX.length)), (char) => char.charCodeAt(0))
}

async function hmac(key: Uint8Array, bytes: Uint8Array): Promise<Uint8Array> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const imported = await crypto.subtle.importKey('raw', key, algorithm, false, ['sign'])
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, bytes))
}
