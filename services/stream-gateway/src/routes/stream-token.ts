import { isEventType, isIdentifier, type EventFilter, type EventType } from '@ariftly/events'
import type { Sealer } from '../frames/stream-id.ts'

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

/** One thing that is wrong with a token request. */
export interface TokenRequestError {
  readonly pointer: string
  readonly code: string
  readonly message: string
}

/** Reads `{task_id?, session_id?, agent?, types?, ttl_s?}`; null means absent. */
export function readTokenRequest(
  body: unknown,
):
  | { readonly ok: true; readonly filter: EventFilter; readonly ttlS: number }
  | { readonly ok: false; readonly errors: readonly TokenRequestError[] } {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return { ok: false, errors: [{ pointer: '', code: 'invalid_type', message: 'must be an object' }] }
  }
  const errors: TokenRequestError[] = []
  const filter: { taskId?: string; sessionId?: string; agent?: string; types?: readonly EventType[] } = {}
  let ttlS = 3600
  for (const [name, value] of Object.entries(body as Record<string, unknown>)) {
    const fault = value === null ? undefined : readMember(name, value)
    if (fault !== undefined) errors.push({ pointer: `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, ...fault })
  }
  return errors.length > 0 ? { ok: false, errors } : { ok: true, filter, ttlS }

  function readMember(name: string, value: unknown): { code: string; message: string } | undefined {
    switch (name) {
      case 'task_id':
      case 'session_id':
      case 'agent':
        if (typeof value !== 'string' || !isIdentifier(value))
          return bad('1 to 128 characters of A-Z a-z 0-9 _ . : - /')
        filter[name === 'task_id' ? 'taskId' : name === 'session_id' ? 'sessionId' : 'agent'] = value
        return undefined
      case 'types':
        if (!isTypes(value)) return bad('a list of event types, none twice')
        filter.types = value
        return undefined
      case 'ttl_s':
        if (typeof value !== 'number' || !Number.isInteger(value) || value < 10 || value > 86_400) {
          return bad('a whole number from 10 to 86400')
        }
        ttlS = value
        return undefined
      default:
        return { code: 'unknown_member', message: 'is not a member here' }
    }
  }
}

function bad(shape: string): { code: string; message: string } {
  return { code: 'invalid_value', message: `must be ${shape}` }
}

function isTypes(value: unknown): value is EventType[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((type) => typeof type === 'string' && isEventType(type)) &&
    new Set(value).size === value.length
  )
}
