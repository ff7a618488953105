import { LIMITS } from '@ariftly/events'
import { Deque } from './deque.ts'

interface Entry {
  readonly partition: number
  readonly tenant: string
  readonly id: string
  readonly offset: number
  readonly appendedAtMs: number
}

/** An id may be this much ahead of its append time (`decodeRecord` refuses more). */
const ID_AHEAD_MS = LIMITS.recordFutureMsMax

/**
 * The ids of recent records, to recognise copies (design 7, Duplicates). It holds at least those of the ring and those that
 * are not projected yet; up to `idsMax` older ones spare the look-up in Postgres. Copies are looked for within a partition,
 * as a repost with the same key stands in the same one.
 */
export class IdIndex {
  readonly #ids: readonly Map<string, Map<string, number>>[]
  readonly #entries = new Deque<Entry>()
  /** Append time below which ids of a partition are not known; `Infinity` while nothing is known. */
  readonly #knownFromMs: Float64Array
  readonly #idsMax: number

  /** `fromOrigin` says of each partition whether the reading begins at the first record that there ever was. */
  constructor(o: { readonly fromOrigin: readonly boolean[]; readonly idsMax: number }) {
    this.#ids = o.fromOrigin.map(() => new Map())
    this.#knownFromMs = Float64Array.from(o.fromOrigin, (origin) => (origin ? -Infinity : Infinity))
    this.#idsMax = o.idsMax
  }

  get size(): number {
    return this.#entries.length
  }

  has(partition: number, tenant: string, id: string): boolean {
    return this.#ids[partition]?.get(tenant)?.has(id) ?? false
  }

  /**
   * Whether a copy may stand in front of all that the index knows, so that Postgres has to be asked: the first append of an
   * id is not more than {@link ID_AHEAD_MS} before the id's own time.
   */
  mayBeOlder(partition: number, idMs: number): boolean {
    return idMs - ID_AHEAD_MS <= (this.#knownFromMs[partition] ?? Infinity)
  }

  /** Adds the id of a record; false when it is there already, so that the record is a copy. */
  add(entry: Entry): boolean {
    const tenants = this.#ids[entry.partition]
    if (tenants === undefined) return false
    let ids = tenants.get(entry.tenant)
    if (ids === undefined) tenants.set(entry.tenant, (ids = new Map()))
    if (ids.has(entry.id)) return false
    ids.set(entry.id, entry.offset)
    this.#entries.push(entry)
    return true
  }

  /** Nothing before the first record that is read is known. To be called with each record before its id is asked for. */
  seen(partition: number, appendedAtMs: number): void {
    if (this.#knownFromMs[partition] === Infinity) this.#knownFromMs[partition] = appendedAtMs
  }

  /**
   * Forgets the oldest ids, as long as there are more than `idsMax`, they are out of the ring (below `low`) and projected
   * (below `projected`), so that the look-up finds them.
   */
  trim(low: Float64Array, projected: Float64Array): void {
    while (this.#entries.length > this.#idsMax) {
      const entry = this.#entries.at(0)
      if (entry === undefined) return
      const { partition, tenant, id, offset, appendedAtMs } = entry
      if (offset >= (low[partition] ?? 0) || offset >= (projected[partition] ?? 0)) return
      this.#entries.shift()
      const ids = this.#ids[partition]?.get(tenant)
      ids?.delete(id)
      if (ids?.size === 0) this.#ids[partition]?.delete(tenant)
      this.#knownFromMs[partition] = Math.max(appendedAtMs, this.#knownFromMs[partition] ?? 0)
    }
  }
}
