import { decodePosition, encodePosition, type PositionInLog } from '../log/offset-vector.ts'

/** The part of a keyring that ids need. */
export interface Sealer {
  seal(plain: Uint8Array, aad: string): Buffer
  open(sealed: Uint8Array, aad: string): Buffer | undefined
}

/** Makes and reads the `id:` of stream frames. */
export interface StreamIds {
  /** `v1.` and the sealed position, base64url. */
  seal(place: PositionInLog): string
  /** The position; undefined for a malformed, truncated or forged id. */
  open(id: string): PositionInLog | undefined
}

const PREFIX = 'v1.'
const AAD = 'stream-id'
const SHAPE = /^v1\.[A-Za-z0-9_-]{40,16000}$/

/**
 * Ids are sealed (AES-256-GCM): plain offsets would reveal the platform's volume to every tenant, and the tag detects forged
 * ids. A position belongs to no tenant: the key that opens a stream decides what it shows.
 */
export function createStreamIds(sealer: Sealer): StreamIds {
  function seal(place: PositionInLog): string {
    return PREFIX + sealer.seal(encodePosition(place), AAD).toString('base64url')
  }

  function open(id: string): PositionInLog | undefined {
    if (!SHAPE.test(id)) return undefined
    const plain = sealer.open(Buffer.from(id.slice(PREFIX.length), 'base64url'), AAD)
    return plain && decodePosition(plain)
  }

  return { seal, open }
}
