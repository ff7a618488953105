import type { Caller } from '@ariftly/http'

/** A secret of a key that was found valid. */
export interface CachedKey {
  readonly caller: Caller
  /** When it was last used, epoch milliseconds. */
  usedAtMs: number
  /** The minute (since the epoch) of the last use that is noted in the store. */
  notedMinute: number
}

interface Entry extends CachedKey {
  /** Names by which the secret is cached. */
  readonly names: Set<string>
}

/** Secrets of valid keys, by hash, and by the key's id and the secret's number. Bounded: when full the oldest entry is dropped. */
export class KeyCache {
  readonly #max: number
  readonly #names = new Map<string, Entry>()
  /** By key id, then by secret. */
  readonly #ids = new Map<string, Map<number, Entry>>()
  readonly #expiring = new Map<Entry, number>()

  /** `max`: keys that it holds. */
  constructor(max = 100_000) {
    this.#max = max
  }

  byName(name: string): CachedKey | undefined {
    return this.#names.get(name)
  }

  byId(keyId: string, secret: number): CachedKey | undefined {
    return this.#ids.get(keyId)?.get(secret)
  }

  /** Caches a secret under a name; returns the existing entry if there is one, as streams are tied to its caller object. */
  add(name: string, caller: Caller): CachedKey {
    const entry = this.#entryOf(caller)
    entry.names.add(name)
    this.#names.set(name, entry)
    return entry
  }

  /** Drops all secrets of a key. */
  drop(keyId: string): void {
    for (const entry of this.#ids.get(keyId)?.values() ?? []) this.#dropEntry(entry)
  }

  /** Drops all keys of a tenant. Scans the whole cache. */
  dropTenant(tenant: string): void {
    for (const entry of this.#entries()) if (entry.caller.tenant === tenant) this.#dropEntry(entry)
  }

  /** Drops the secrets whose time is over and gives their callers. */
  dropExpired(nowMs: number): readonly Caller[] {
    const expired = [...this.#expiring].filter(([, atMs]) => atMs <= nowMs).map(([entry]) => entry)
    for (const entry of expired) this.#dropEntry(entry)
    return expired.map(({ caller }) => caller)
  }

  /** The entries whose last use is of a minute that is not noted. */
  unnoted(): readonly CachedKey[] {
    const entries: CachedKey[] = []
    for (const entry of this.#entries()) if (minuteOf(entry.usedAtMs) > entry.notedMinute) entries.push(entry)
    return entries
  }

  clear(): void {
    this.#names.clear()
    this.#ids.clear()
    this.#expiring.clear()
  }

  *#entries(): Generator<Entry> {
    for (const secrets of this.#ids.values()) yield* secrets.values()
  }

  #entryOf(caller: Caller): Entry {
    let secrets = this.#ids.get(caller.keyId)
    if (secrets === undefined) {
      this.#makeRoom()
      secrets = new Map()
      this.#ids.set(caller.keyId, secrets)
    }
    let entry = secrets.get(caller.secret)
    if (entry === undefined) {
      entry = { caller, usedAtMs: 0, notedMinute: 0, names: new Set() }
      secrets.set(caller.secret, entry)
      if (caller.endsAtMs !== null) this.#expiring.set(entry, caller.endsAtMs)
    }
    return entry
  }

  #makeRoom(): void {
    if (this.#ids.size < this.#max) return
    for (const oldest of this.#ids.keys()) {
      this.drop(oldest)
      break
    }
  }

  #dropEntry(entry: Entry): void {
    const { keyId, secret } = entry.caller
    for (const name of entry.names) this.#names.delete(name)
    this.#expiring.delete(entry)
    const secrets = this.#ids.get(keyId)
    secrets?.delete(secret)
    if (secrets?.size === 0) this.#ids.delete(keyId)
  }
}

/** The minute of a moment. */
export function minuteOf(ms: number): number {
  return Math.floor(ms / 60_000)
}
