import type { Keyring } from '@ariftly/keyring'

/** The part of a keyring that sealing needs. */
export type Sealer = Pick<Keyring, 'seal' | 'open'>

/** A place in the whole log, as the `id:` of a stream's frames holds it. */
export interface PositionInLog {
  readonly epoch: number
  /** For each partition the first offset that the stream has not handled yet. */
  readonly position: Float64Array
}

/** The same of a position that its owner may move later. */
type PlaceToSeal = Pick<PositionInLog, 'epoch'> & { readonly position: ArrayLike<number> }

/** Makes and reads the `id:` of stream frames. */
export interface StreamIds {
  /** `v1.` and the sealed position, base64url. */
  seal(place: PlaceToSeal): string
  /** The position, or undefined for a text that none of our keys sealed: malformed, cut or forged. */
  open(id: string): PositionInLog | undefined
}

const PREFIX = 'v1.'
const AAD = 'stream-id'
const SHAPE = /^v1\.[A-Za-z0-9_-]{40,16000}$/

/**
 * Ids are sealed (AES-256-GCM): unsealed offsets would show every tenant the platform's volume, and the tag reveals a forged
 * id from ours. A position belongs to no tenant: what a stream shows is decided by the key that opens it.
 */
export function createStreamIds(sealer: Sealer): StreamIds {
  function seal(place: PlaceToSeal): string {
    return PREFIX + sealer.seal(encodePosition(place), AAD).toString('base64url')
  }

  function open(id: string): PositionInLog | undefined {
    if (!SHAPE.test(id)) return undefined
    const plain = sealer.open(Buffer.from(id.slice(PREFIX.length), 'base64url'), AAD)
    return plain && decodePosition(plain)
  }

  return { seal, open }
}

const LAYOUT = 1

/** Bytes of a position: layout (1), then the epoch, the count of partitions and each offset as LEB128. */
export function encodePosition({ epoch, position }: PlaceToSeal): Buffer {
  scratch[0] = LAYOUT
  let at = writeVarint(epoch, 1)
  at = writeVarint(position.length, at)
  for (let partition = 0; partition < position.length; partition += 1) at = writeVarint(position[partition] ?? 0, at)
  return scratch.subarray(0, at)
}

/** Shared by all calls: a result is to be used before the next call. Room for 1,000 partitions. */
const scratch = Buffer.alloc(8 * 1024 + 64)

function writeVarint(value: number, at: number): number {
  let rest = value
  let next = at
  while (rest > 127) {
    scratch[next] = (rest % 128) | 128
    rest = Math.floor(rest / 128)
    next += 1
  }
  scratch[next] = rest
  return next + 1
}

/** Reads {@link encodePosition} back; undefined for bytes that are no position. */
export function decodePosition(bytes: Uint8Array): PositionInLog | undefined {
  let at = 1
  let sound = bytes[0] === LAYOUT

  function read(): number {
    let value = 0
    let factor = 1
    for (;;) {
      const byte = bytes[at]
      at += 1
      if (byte === undefined || factor > 2 ** 49) {
        sound = false
        return 0
      }
      value += (byte & 127) * factor
      if (byte < 128) return value
      factor *= 128
    }
  }

  const epoch = read()
  const partitions = read()
  if (!sound || partitions > bytes.length) return undefined
  const position = new Float64Array(partitions)
  for (let partition = 0; partition < partitions; partition += 1) position[partition] = read()
  if (!sound || at !== bytes.length || !position.every(Number.isSafeInteger)) return undefined
  return { epoch, position }
}
