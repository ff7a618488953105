import { bodySignature, trioSignature } from './signature.ts'

/** What a test signs. */
export interface SignOptions {
  /** The event as JSON text. */
  readonly body: string
  /** One secret, or while one is rotated the old one and then the new one. */
  readonly secrets: string | readonly string[]
  /** Default: the `id` in the body. */
  readonly id?: string
  /** Unix seconds; default: now. */
  readonly timestampS?: number
}

/** The headers of a delivery, as Ariftly would send them: for tests of a receiver. */
export async function sign(options: SignOptions): Promise<Record<string, string>> {
  const { body, timestampS = Math.floor(Date.now() / 1000) } = options
  const secrets = typeof options.secrets === 'string' ? [options.secrets] : options.secrets
  const id = options.id ?? (JSON.parse(body) as { readonly id: string }).id
  const bytes = new TextEncoder().encode(body)
  const signatures = await Promise.all(
    secrets.map(async (secret) => await trioSignature(secret, id, timestampS, bytes)),
  )
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(timestampS),
    'webhook-signature': signatures.join(' '),
    'x-ariftly-signature': await bodySignature(secrets[0] ?? '', bytes),
  }
}
