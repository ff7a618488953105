import { createHmac, randomBytes } from 'node:crypto'
import { LIMITS } from '@ariftly/events'
import { ID_WORDS, type EventIdBits } from './event-id-bits.ts'
import { originOf, raise, type OffsetVector } from './offset-vector.ts'

/** An id may be this much ahead of its append time (`decodeRecord` refuses more). */
const ID_AHEAD_MS = LIMITS.recordFutureMsMax
const WORDS = ID_WORDS
const CAPACITY_MIN = 1024
const TENANTS_MAX = 10_000
const NONE = -1

/** A record whose id is to be remembered; its time is in the window of its append time. */
export interface IndexedRecord {
  readonly partition: number
  readonly tenant: string
  readonly id: EventIdBits
  readonly offset: number
  readonly appendedAtMs: number
}

interface IdIndexOptions {
  /** By partition, whether reading starts at offset 0, the first record ever. */
  readonly fromOrigin: readonly boolean[]
  /** Ids remembered at most; above it projected ids are dropped first (a look-up finds them). */
  readonly idsMax: number
  /** Ids remembered at most while the projection does not move; the oldest are then dropped and counted. */
  readonly unprojectedMax: number
}

/**
 * The ids of recent records, to recognise duplicates. The search is within a partition, as an event posted again with the
 * same key has the same partition.
 *
 * An entry is 128 bits, the id's bits combined with a keyed hash of its tenant, with offset, the id's time and partition in
 * parallel typed arrays, and a slot of a hash table with linear probing: 50 bytes, no object. Most look-ups find nothing and
 * touch one cache line. Entries are dropped in the order in which they were added. The hash is keyed so that no caller can
 * choose ids that share a slot.
 */
export class IdIndex {
  /** Ids that were dropped before they were projected: a duplicate of one of those may be shown. */
  forgottenUnprojected = 0
  readonly #o: IdIndexOptions
  /** Append time of the first record that was read of a partition: of those before it no id is known. `Infinity` before the first. */
  readonly #readFromMs: Float64Array
  /** The latest time of an id of a partition that is not remembered any more. */
  readonly #forgottenMs: Float64Array
  /** By tenant, as given to {@link setNewest}. */
  readonly #newestMs = new Map<string, number>()
  readonly #projected: OffsetVector
  readonly #secret = randomBytes(32)
  readonly #multipliers = new Uint32Array(
    this.#secret.buffer.slice(this.#secret.byteOffset, this.#secret.byteOffset + 16),
  )
  readonly #masks = new Map<string, Uint32Array>()
  /** The mask of the last tenant: most records arrive in runs of one tenant. */
  #last: { readonly tenant: string; readonly mask: Uint32Array } | undefined
  /** The 128 bits of the last id looked up. */
  readonly #hash = new Uint32Array(WORDS)
  #mixed = 0
  #columns = createColumns(CAPACITY_MIN)
  /** Index of the first entry; the others follow, wrapping at the end. */
  #first = 0
  #size = 0

  constructor(o: IdIndexOptions) {
    this.#o = o
    this.#readFromMs = Float64Array.from(o.fromOrigin, (origin) => (origin ? -Infinity : Infinity))
    this.#forgottenMs = Float64Array.from(o.fromOrigin, () => -Infinity)
    this.#projected = originOf(o.fromOrigin.length)
  }

  get size(): number {
    return this.#size
  }

  /** The offset of the record of a partition that has this id; undefined when none is known. */
  find(partition: number, tenant: string, id: EventIdBits): number | undefined {
    this.#setHash(tenant, id)
    const { table, offsets } = this.#columns
    const at = table[this.#slotOf(partition) + 1] ?? NONE
    return at === NONE ? undefined : offsets[at]
  }

  /**
   * Whether there may be a duplicate that the index does not know, so that Postgres must be queried. It may have been dropped:
   * then the id is not newer than the newest dropped one. Or it was never read: the first append of an id is at most
   * {@link ID_AHEAD_MS} before the id's own time, and the id is not newer than the tenant's newest one (`setNewest`).
   */
  mayBeOlder(partition: number, tenant: string, idMs: number): boolean {
    if (idMs <= (this.#forgottenMs[partition] ?? Infinity)) return true
    const readFromMs = this.#readFromMs[partition] ?? Infinity
    return idMs - ID_AHEAD_MS <= readFromMs && idMs <= (this.#newestMs.get(tenant) ?? Infinity)
  }

  /** Whether `setNewest` was called for a tenant. */
  knowsNewest(tenant: string): boolean {
    return this.#newestMs.has(tenant)
  }

  /**
   * The time of a tenant's newest id in Postgres, at any moment after the reading began. All records before the first one that
   * is read are projected by then, so none of them has a newer id.
   */
  setNewest(tenant: string, idMs: number): void {
    if (this.#newestMs.size >= TENANTS_MAX) this.#newestMs.clear()
    this.#newestMs.set(tenant, idMs)
  }

  /** Whether the projection holds a record. */
  isProjected(partition: number, offset: number): boolean {
    return offset < (this.#projected[partition] ?? 0)
  }

  /**
   * Adds the id of a record. When the partition has an earlier record with this id, the new one takes its place if the earlier
   * one `mayBeReplaced`; otherwise nothing changes, and the id is `known`.
   */
  add(
    record: IndexedRecord,
    mayBeReplaced?: (partition: number, earlierOffset: number) => boolean,
  ): 'added' | 'replaced' | 'known' {
    this.#makeRoom()
    this.#setHash(record.tenant, record.id)
    const { table, words, offsets, idTimes, partitions } = this.#columns
    const slot = this.#slotOf(record.partition)
    const known = table[slot + 1] ?? NONE
    if (known !== NONE) {
      if (mayBeReplaced?.(record.partition, offsets[known] ?? 0) !== true) return 'known'
      offsets[known] = record.offset
      return 'replaced'
    }
    const at = (this.#first + this.#size) & (partitions.length - 1)
    words.set(this.#hash, at * WORDS)
    offsets[at] = record.offset
    idTimes[at] = record.id.ms
    partitions[at] = record.partition
    table[slot] = this.#mixed
    table[slot + 1] = at
    this.#size += 1
    return 'added'
  }

  /** Nothing before the first record that is read is known. To be called with each record before its id is asked for. */
  seen(partition: number, appendedAtMs: number): void {
    if (this.#readFromMs[partition] === Infinity) this.#readFromMs[partition] = appendedAtMs
  }

  /** The projection holds everything below `position`: those ids may be dropped. */
  setProjected(position: OffsetVector): void {
    raise(this.#projected, position)
    this.#trim()
  }

  /** Forgets the oldest ids as far as the limits ask for it. */
  #trim(): void {
    while (this.#size > this.#o.idsMax) {
      const { offsets, partitions } = this.#columns
      const isProjected = this.isProjected(partitions[this.#first] ?? 0, offsets[this.#first] ?? 0)
      if (!isProjected && this.#size <= this.#o.unprojectedMax) return
      if (!isProjected) this.forgottenUnprojected += 1
      this.#forgetFirst()
    }
  }

  #forgetFirst(): void {
    const { words, idTimes, partitions, table } = this.#columns
    const at = this.#first
    let slot = slotFor(this.#mix(words, at * WORDS), table)
    while (table[slot + 1] !== at) slot = nextSlot(slot, table)
    freeSlot(slot, table)
    const partition = partitions[at] ?? 0
    this.#forgottenMs[partition] = Math.max(idTimes[at] ?? 0, this.#forgottenMs[partition] ?? 0)
    this.#first = (at + 1) & (partitions.length - 1)
    this.#size -= 1
  }

  #makeRoom(): void {
    this.#trim()
    if (this.#size === this.#columns.partitions.length) this.#grow()
  }

  /**
   * Doubles the columns, which are full. The table is copied in the order of its slots: an entry stays where it is or moves by
   * the old length, so that memory is walked in order.
   */
  #grow(): void {
    const old = this.#columns
    const capacity = old.partitions.length
    const columns = createColumns(capacity * 2)
    copyFrom(old.words, this.#first * WORDS, columns.words)
    copyFrom(old.offsets, this.#first, columns.offsets)
    copyFrom(old.idTimes, this.#first, columns.idTimes)
    copyFrom(old.partitions, this.#first, columns.partitions)
    const { table } = columns
    for (let from = 0; from < old.table.length; from += 2) {
      const at = old.table[from + 1] ?? NONE
      if (at === NONE) continue
      const mixed = old.table[from] ?? 0
      let slot = slotFor(mixed, table)
      while (table[slot + 1] !== NONE) slot = nextSlot(slot, table)
      table[slot] = mixed
      table[slot + 1] = (at - this.#first) & (capacity - 1)
    }
    this.#columns = columns
    this.#first = 0
  }

  /** Sets `#hash` to the id's bits combined with the tenant's mask. */
  #setHash(tenant: string, { words }: EventIdBits): void {
    if (tenant !== this.#last?.tenant) this.#last = { tenant, mask: this.#maskOf(tenant) }
    const { mask } = this.#last
    for (let word = 0; word < WORDS; word += 1) this.#hash[word] = (words[word] ?? 0) ^ (mask[word] ?? 0)
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

  /** The slot of the entry with `#hash` in a partition, or the free one for it; `#mixed` is set too. */
  #slotOf(partition: number): number {
    const { words, partitions, table } = this.#columns
    const hash = this.#hash
    const mixed = this.#mix(hash, 0)
    this.#mixed = mixed
    let slot = slotFor(mixed, table)
    for (;;) {
      const at = table[slot + 1] ?? NONE
      if (at === NONE) return slot
      if (table[slot] === mixed && partitions[at] === partition && isSame(hash, words, at * WORDS)) return slot
      slot = nextSlot(slot, table)
    }
  }

  /** A keyed hash of 32 bits, signed. */
  #mix(words: Uint32Array, from: number): number {
    let sum = 0
    for (let word = 0; word < WORDS; word += 1) {
      sum = Math.imul(sum ^ (words[from + word] ?? 0), (this.#multipliers[word] ?? 0) | 1)
      sum ^= sum >>> 15
    }
    return sum
  }
}

function isSame(hash: Uint32Array, words: Uint32Array, from: number): boolean {
  return (
    words[from] === hash[0] && words[from + 1] === hash[1] && words[from + 2] === hash[2] && words[from + 3] === hash[3]
  )
}

/** Copies a column that begins at `first` and continues at its start. */
function copyFrom<T extends Uint32Array | Float64Array | Uint16Array>(from: T, first: number, into: T): void {
  into.set(from.subarray(first))
  into.set(from.subarray(0, first), from.length - first)
}

/** The first slot in which an entry with a hash may be. */
function slotFor(mixed: number, table: Int32Array): number {
  return (mixed << 1) & (table.length - 1)
}

function nextSlot(slot: number, table: Int32Array): number {
  return (slot + 2) & (table.length - 1)
}

/** Frees a slot and moves up the entries after it that linear probing would not find otherwise. */
function freeSlot(freed: number, table: Int32Array): void {
  const mask = table.length - 1
  let empty = freed
  for (let slot = nextSlot(empty, table); table[slot + 1] !== NONE; slot = nextSlot(slot, table)) {
    const first = slotFor(table[slot] ?? 0, table)
    if (((slot - first) & mask) < ((slot - empty) & mask)) continue
    table[empty] = table[slot] ?? 0
    table[empty + 1] = table[slot + 1] ?? NONE
    empty = slot
  }
  table[empty + 1] = NONE
}

/**
 * Parallel columns; the capacity is a power of two. The table has two slots an entry; a slot is the entry's hash and its
 * index, -1 when free.
 */
function createColumns(capacity: number) {
  return {
    words: new Uint32Array(capacity * WORDS),
    offsets: new Float64Array(capacity),
    idTimes: new Float64Array(capacity),
    partitions: new Uint16Array(capacity),
    table: new Int32Array(capacity * 4).fill(NONE),
  }
}
