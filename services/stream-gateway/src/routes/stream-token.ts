import type { EventFilter } from '@ariftly/events'
import type { Sealer } from '@ariftly/http'

/** What a stream token allows: to open streams with this filter as this key, until it expires. */
export interface StreamToken {
  readonly keyId: string
  /** The number of the key's secret that asked for it: the token ends with that secret. */
  readonly secret: number
  readonly filter: EventFilter
  readonly expiresAtMs: number
}

type SealedToken = readonly [keyId: string, expiresAtMs: number, filter: EventFilter, secret?: number]

const PREFIX = 'st_'
const AAD = 'stream-token'

/** Seals a token: for browsers, whose EventSource sends no header and whose URLs are no place for an API key. */
export function sealStreamToken(sealer: Sealer, token: StreamToken): string {
  const { keyId, secret, filter, expiresAtMs } = token
  const plain = JSON.stringify([keyId, expiresAtMs, filter, secret])
  return PREFIX + sealer.seal(Buffer.from(plain), AAD).toString('base64url')
}

/** The token of a text, expired ones too; undefined for what we did not seal. */
export function openStreamToken(sealer: Sealer, text: string): StreamToken | undefined {
  if (!/^st_[A-Za-z0-9_-]+$/.test(text)) return undefined
  const plain = sealer.open(Buffer.from(text.slice(PREFIX.length), 'base64url'), AAD)
  if (plain === undefined) return undefined
  // A token without a number is from before keys could be rotated.
  const [keyId, expiresAtMs, filter, secret = 1] = JSON.parse(plain.toString('utf8')) as SealedToken
  return { keyId, secret, expiresAtMs, filter }
}
