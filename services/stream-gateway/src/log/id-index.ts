import { createHmac, randomBytes } from 'node:crypto'
import { LIMITS } from '@ariftly/events'
import { originOf, raise, type OffsetVector } from './offset-vector.ts'

/** An id may be this much ahead of its append time (`decodeRecord` refuses more). */
const ID_AHEAD_MS = LIMITS.recordFutureMsMax
/** Words of 32 bits of a hash. */
const WORDS = 4
const CAPACITY_MIN = 1024
const TENANTS_MAX = 10_000
const NONE = -1
const PREFIX = 'evt_'
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
/** Value of each character of a TypeID, 255 for one that is none. */
const VALUES = new Uint8Array(128).fill(255)
for (let value = 0; value < ALPHABET.length; value += 1) VALUES[ALPHABET.charCodeAt(value)] = value

/** A record whose id is to be remembered. */
export interface IndexedRecord {
  readonly partition: number
  readonly tenant: string
  readonly id: string
  readonly offset: number
  readonly appendedAtMs: number
}

/** What {@link IdIndex} needs. */
export interface IdIndexOptions {
  /** Of each partition, whether the reading begins at the first record that there ever was. */
  readonly fromOrigin: readonly boolean[]
  /** Ids remembered at most; when as many are, those go first that are projected (a look-up finds them). */
  readonly idsMax: number
  /** Ids remembered at most while the projection does not move; the oldest are then forgotten and counted. */
  readonly unprojectedMax: number
}

/**
 * The ids of recent records, by which duplicates are recognised. Duplicates are looked for within a partition, as an event
 * that is posted again with the same key is in the same one.
 *
 * An entry is 128 bits, the id's own bits combined with a secret hash of its tenant, with offset, append time and partition in
 * parallel typed arrays: 42 bytes, no object. Entries leave in the order in which they came. The bucket of an entry is a
 * keyed hash, so that no caller can choose ids that share one.
 */
export class IdIndex {
  /** Ids that were forgotten before they were projected: a duplicate of one of those may be shown. */
  forgottenUnprojected = 0
  readonly #o: IdIndexOptions
  /** Append time below which ids of a partition are not known; `Infinity` while nothing is known. */
  readonly #knownFromMs: Float64Array
  readonly #projected: OffsetVector
  readonly #secret = randomBytes(32)
  readonly #multipliers = new Uint32Array(
    this.#secret.buffer.slice(this.#secret.byteOffset, this.#secret.byteOffset + 16),
  )
  readonly #masks = new Map<string, Uint32Array>()
  /** The 128 bits of the last id that was looked at. */
  readonly #hash = new Uint32Array(WORDS)
  #columns = createColumns(CAPACITY_MIN)
  /** Entries are at `#first` and the following places, round the end. */
  #first = 0
  #size = 0

  constructor(o: IdIndexOptions) {
    this.#o = o
    this.#knownFromMs = Float64Array.from(o.fromOrigin, (origin) => (origin ? -Infinity : Infinity))
    this.#projected = originOf(o.fromOrigin.length)
  }

  get size(): number {
    return this.#size
  }

  /** The offset of the record of a partition that has this id; undefined when none is known. */
  find(partition: number, tenant: string, id: string): number | undefined {
    const at = this.#hashOf(tenant, id) ? this.#entryOf(partition) : NONE
    return at === NONE ? undefined : this.#columns.offsets[at]
  }

  /**
   * Whether a duplicate may be before all that the index knows, so that Postgres has to be asked: the first append of an id
   * is not more than {@link ID_AHEAD_MS} before the id's own time.
   */
  mayBeOlder(partition: number, idMs: number): boolean {
    return idMs - ID_AHEAD_MS <= (this.#knownFromMs[partition] ?? Infinity)
  }

  /**
   * Adds the id of a record. When the partition has an earlier record with this id that is not `isStale`, nothing changes and
   * its offset is returned. An id that is none is left out.
   */
  add(record: IndexedRecord, isStale: (earlierOffset: number) => boolean = never): number | undefined {
    if (!this.#hashOf(record.tenant, record.id)) return undefined
    const known = this.#entryOf(record.partition)
    if (known !== NONE) {
      const earlier = this.#columns.offsets[known] ?? 0
      if (!isStale(earlier)) return earlier
      this.#columns.offsets[known] = record.offset
      return undefined
    }
    this.#makeRoom()
    const { words, offsets, times, partitions, next, heads } = this.#columns
    const at = (this.#first + this.#size) & (partitions.length - 1)
    words.set(this.#hash, at * WORDS)
    offsets[at] = record.offset
    times[at] = record.appendedAtMs
    partitions[at] = record.partition
    const bucket = this.#bucketOf(words, at * WORDS)
    next[at] = heads[bucket] ?? NONE
    heads[bucket] = at
    this.#size += 1
    return undefined
  }

  /** Nothing before the first record that is read is known. To be called with each record before its id is asked for. */
  seen(partition: number, appendedAtMs: number): void {
    if (this.#knownFromMs[partition] === Infinity) this.#knownFromMs[partition] = appendedAtMs
  }

  /** The projection holds everything below `position`: those ids may be forgotten. */
  setProjected(position: OffsetVector): void {
    raise(this.#projected, position)
    this.#trim()
  }

  /** Forgets the oldest ids as far as the limits ask for it. */
  #trim(): void {
    while (this.#size > this.#o.idsMax) {
      const { offsets, partitions } = this.#columns
      const isProjected = (offsets[this.#first] ?? 0) < (this.#projected[partitions[this.#first] ?? 0] ?? 0)
      if (!isProjected && this.#size <= this.#o.unprojectedMax) return
      if (!isProjected) this.forgottenUnprojected += 1
      this.#forgetFirst()
    }
  }

  #forgetFirst(): void {
    const { words, times, partitions, next, heads } = this.#columns
    const at = this.#first
    const bucket = this.#bucketOf(words, at * WORDS)
    if (heads[bucket] === at) heads[bucket] = next[at] ?? NONE
    else {
      let before = heads[bucket] ?? NONE
      while (next[before] !== at) before = next[before] ?? NONE
      next[before] = next[at] ?? NONE
    }
    const partition = partitions[at] ?? 0
    this.#knownFromMs[partition] = Math.max(times[at] ?? 0, this.#knownFromMs[partition] ?? 0)
    this.#first = (at + 1) & (partitions.length - 1)
    this.#size -= 1
  }

  #makeRoom(): void {
    this.#trim()
    const old = this.#columns
    if (this.#size < old.partitions.length) return
    const columns = createColumns(old.partitions.length * 2)
    const { words, offsets, times, partitions, next, heads } = columns
    for (let n = 0; n < this.#size; n += 1) {
      const from = (this.#first + n) & (old.partitions.length - 1)
      words.set(old.words.subarray(from * WORDS, (from + 1) * WORDS), n * WORDS)
      offsets[n] = old.offsets[from] ?? 0
      times[n] = old.times[from] ?? 0
      partitions[n] = old.partitions[from] ?? 0
    }
    this.#columns = columns
    this.#first = 0
    for (let n = 0; n < this.#size; n += 1) {
      const bucket = this.#bucketOf(words, n * WORDS)
      next[n] = heads[bucket] ?? NONE
      heads[bucket] = n
    }
  }

  /** Puts the 128 bits of an id into `#hash`; false when it is no event id. */
  #hashOf(tenant: string, id: string): boolean {
    if (id.length !== PREFIX.length + 26 || !packId(id, this.#hash)) return false
    const mask = this.#maskOf(tenant)
    for (let word = 0; word < WORDS; word += 1) this.#hash[word] = (this.#hash[word] ?? 0) ^ (mask[word] ?? 0)
    return true
  }

  #maskOf(tenant: string): Uint32Array {
    const known = this.#masks.get(tenant)
    if (known !== undefined) return known
    if (this.#masks.size >= TENANTS_MAX) this.#masks.clear()
    const digest = createHmac('sha256', this.#secret).update(tenant).digest()
    const mask = Uint32Array.from({ length: WORDS }, (_, word) => digest.readUInt32LE(word * 4))
    this.#masks.set(tenant, mask)
    return mask
  }

  /** The entry with `#hash` in a partition. */
  #entryOf(partition: number): number {
    const { words, partitions, next, heads } = this.#columns
    const hash = this.#hash
    let at = heads[this.#bucketOf(hash, 0)] ?? NONE
    while (at !== NONE) {
      const from = at * WORDS
      if (
        words[from] === hash[0] &&
        words[from + 1] === hash[1] &&
        words[from + 2] === hash[2] &&
        words[from + 3] === hash[3] &&
        partitions[at] === partition
      ) {
        return at
      }
      at = next[at] ?? NONE
    }
    return NONE
  }

  #bucketOf(words: Uint32Array, from: number): number {
    let sum = 0
    for (let word = 0; word < WORDS; word += 1) {
      sum = Math.imul(sum ^ (words[from + word] ?? 0), (this.#multipliers[word] ?? 0) | 1)
      sum ^= sum >>> 15
    }
    return sum & (this.#columns.heads.length - 1)
  }
}

/**
 * Packs the 128 bits of a TypeID's 26 characters (base32, the first has 3 bits) into four words: six characters each, and the
 * last two in what is left of them. False for a character that is not in the alphabet.
 */
function packId(id: string, into: Uint32Array): boolean {
  let all = 0
  for (let word = 0; word < WORDS; word += 1) {
    let bits = 0
    const from = PREFIX.length + word * 6
    for (let at = from; at < from + 6; at += 1) {
      const value = VALUES[id.charCodeAt(at) & 127] ?? 255
      all |= value
      bits = (bits << 5) | value
    }
    into[word] = bits
  }
  const last = VALUES[id.charCodeAt(id.length - 1) & 127] ?? 255
  const beforeLast = VALUES[id.charCodeAt(id.length - 2) & 127] ?? 255
  into[0] = (into[0] ?? 0) | ((beforeLast & 15) << 28)
  into[1] = (into[1] ?? 0) | ((last & 3) << 30)
  into[2] = (into[2] ?? 0) | (((last >> 2) & 3) << 30)
  into[3] = (into[3] ?? 0) | (((last >> 4) | ((beforeLast >> 4) << 1)) << 30)
  return (all | last | beforeLast) < 32
}

function never(): boolean {
  return false
}

/** Parallel columns; the capacity is a power of two. `heads` and `next` chain the entries of a bucket. */
function createColumns(capacity: number) {
  return {
    words: new Uint32Array(capacity * WORDS),
    offsets: new Float64Array(capacity),
    times: new Float64Array(capacity),
    partitions: new Uint16Array(capacity),
    next: new Int32Array(capacity).fill(NONE),
    heads: new Int32Array(capacity).fill(NONE),
  }
}
