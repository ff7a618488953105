import { createHash, randomFillSync } from 'node:crypto'
import { formatTypeId, newTypeId, typeIdMs, uuidV7Bytes, writeUuidV7 } from './typeid.ts'

const PREFIX = 'evt'

/** Fills `bytes` with random bits; `crypto.randomFillSync` unless a test gives its own. */
export type FillRandom = (bytes: Buffer) => void

/** A fresh event id (TypeID of a UUIDv7) with this Unix millisecond. */
export function newEventId(ms: number): string {
  return newTypeId(PREFIX, ms)
}

/**
 * Mints ids, for one request after another. The ids of one request rise strictly while the milliseconds do not fall: they share
 * 43 random bits, and the rest is a counter that starts at 31 random bits.
 */
export class EventIdMinter {
  readonly #fillRandom: FillRandom
  readonly #tail = Buffer.alloc(10)
  readonly #uuid = Buffer.alloc(16)
  #counter = 0

  constructor(fillRandom: FillRandom = pooledRandom) {
    this.#fillRandom = fillRandom
    this.begin()
  }

  /** Begins with the next request. */
  begin(): void {
    this.#fillRandom(this.#tail)
    writeUuidV7(this.#uuid, 0, this.#tail)
    this.#counter = this.#tail.readUInt32BE(6) >>> 1
  }

  mint(ms: number): string {
    this.#uuid.writeUIntBE(ms, 0, 6)
    this.#uuid.writeUInt32BE(this.#counter, 12)
    this.#counter += 1
    return formatTypeId(PREFIX, this.#uuid)
  }
}

/**
 * The id of an event that is made idempotent by a key: this millisecond, and 74 bits of SHA-256 of tenant and key. The
 * same three arguments always give the same id, with no state anywhere.
 */
export function deriveEventId(ms: number, tenant: string, idempotencyKey: string): string {
  const digest = createHash('sha256').update(`${tenant}\0${idempotencyKey}`).digest()
  return formatTypeId(PREFIX, uuidV7Bytes(ms, digest.subarray(0, 10)))
}

/** The Unix millisecond of a valid event id, which is the event's `created_at`. Throws RangeError for any other text. */
export function eventIdMs(id: string): number {
  const ms = typeIdMs(PREFIX, id)
  if (ms === undefined) throw new RangeError('not an event id')
  return ms
}

const pool = Buffer.alloc(4096)
let poolAt = pool.length

/** One call of the operating system for some 400 requests. */
function pooledRandom(bytes: Buffer): void {
  if (poolAt + bytes.length > pool.length) {
    randomFillSync(pool)
    poolAt = 0
  }
  for (let index = 0; index < bytes.length; index++) bytes[index] = pool[poolAt + index] as number
  poolAt += bytes.length
}
