/** Headers as fetch, node:http or a framework gives them; names in any case. */
export type ReceivedHeaders =
  Readonly<Record<string, string | readonly string[] | undefined>> | { readonly get: (name: string) => string | null }

/** How strict a verification is. */
export interface UnwrapOptions {
  /** How far the time of signing may be from now, either way; default 300 s. */
  readonly toleranceS?: number | undefined
  /** Unix seconds; default: now. */
  readonly nowS?: number | undefined
  /**
   * Takes `X-Ariftly-Signature` alone, for deliveries whose `webhook-*` headers a proxy drops; default false. That signature has no time in it, so
   * who has seen one delivery can send it again at any later time.
   */
  readonly allowUntimed?: boolean | undefined
}

/** A received delivery, and what it is verified with. */
export interface Received {
  readonly body: Uint8Array
  readonly header: (name: string) => string | undefined
  readonly secrets: readonly string[]
  readonly toleranceS: number
  readonly nowS: number
}

/** Throws a TypeError for a body that was parsed, and for a missing or empty secret. */
export function readReceived(
  rawBody: string | Uint8Array,
  headers: ReceivedHeaders,
  secrets: string | readonly string[],
  { toleranceS = 300, nowS = Math.floor(Date.now() / 1000) }: UnwrapOptions,
): Received {
  const body = bytesOf(rawBody)
  const list = Array.isArray(secrets) ? (secrets as readonly string[]) : [secrets as string]
  // Plain JavaScript may give undefined, as of an unset variable.
  if (list.length === 0 || list.some((secret) => typeof secret !== 'string' || secret === ''))
    throw new TypeError('A secret is needed to verify a delivery.')
  return { body, header: (name) => headerOf(headers, name), secrets: list, toleranceS, nowS }
}

function bytesOf(body: unknown): Uint8Array {
  if (typeof body === 'string') return new TextEncoder().encode(body)
  if (body instanceof Uint8Array) return body
  throw new TypeError(
    'The body was parsed before it was verified, and the signed bytes are lost. Give the raw body: with express, put the receiver before ' +
      "app.use(express.json()), or use express.raw({ type: 'application/json' }) on its route.",
  )
}

function headerOf(headers: ReceivedHeaders, name: string): string | undefined {
  if (typeof headers.get === 'function') return headers.get(name) ?? undefined
  const found = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1]
  return typeof found === 'string' ? found : (found as readonly string[] | undefined)?.[0]
}
