import type { Caller } from '@ariftly/http'

/** A secret of a key that was found valid. */
export interface CachedKey {
  readonly caller: Caller
  /** When it was last used, epoch milliseconds. */
  usedAtMs: number
  /** The minute (since the epoch) of the last use that is noted in the store. */
  notedMinute: number
}

/** Secrets of valid keys, by hash, and by the key's id and the secret's number. Bounded: when full the oldest entry goes, which costs a look-up. */
export interface KeyCache {
  byName(name: string): CachedKey | undefined
  byId(keyId: string, secret: number): CachedKey | undefined
  /** Caches a secret under a name and gives its entry: the one that is cached already, if it is, as streams hang on the caller. */
  add(name: string, caller: Caller): CachedKey
  /** Drops all secrets of a key. */
  drop(keyId: string): void
  /** Drops all keys of a tenant. It looks at each key. */
  dropTenant(tenant: string): void
  /** Drops the secrets whose time is over and gives their callers. */
  dropExpired(nowMs: number): readonly Caller[]
  /** The entries whose last use is of a minute that is not noted. */
  unnoted(): readonly CachedKey[]
  clear(): void
}

interface Entry extends CachedKey {
  /** Names by which the secret is cached. */
  readonly names: Set<string>
}

/** Creates an empty cache of at most `max` keys. */
export function createKeyCache(max = 100_000): KeyCache {
  const names = new Map<string, Entry>()
  /** By key id, then by secret. */
  const ids = new Map<string, Map<number, Entry>>()
  const expiring = new Map<Entry, number>()

  function add(name: string, caller: Caller): CachedKey {
    const entry = entryOf(caller)
    entry.names.add(name)
    names.set(name, entry)
    return entry
  }

  function entryOf(caller: Caller): Entry {
    let secrets = ids.get(caller.keyId)
    if (secrets === undefined) {
      makeRoom()
      secrets = new Map()
      ids.set(caller.keyId, secrets)
    }
    let entry = secrets.get(caller.secret)
    if (entry === undefined) {
      entry = { caller, usedAtMs: 0, notedMinute: 0, names: new Set() }
      secrets.set(caller.secret, entry)
      if (caller.endsAtMs !== null) expiring.set(entry, caller.endsAtMs)
    }
    return entry
  }

  function makeRoom(): void {
    if (ids.size < max) return
    for (const oldest of ids.keys()) {
      drop(oldest)
      break
    }
  }

  function drop(keyId: string): void {
    for (const entry of ids.get(keyId)?.values() ?? []) dropEntry(entry)
  }

  function dropTenant(tenant: string): void {
    for (const secrets of ids.values()) {
      for (const entry of secrets.values()) if (entry.caller.tenant === tenant) dropEntry(entry)
    }
  }

  function dropEntry(entry: Entry): void {
    const { keyId, secret } = entry.caller
    for (const name of entry.names) names.delete(name)
    expiring.delete(entry)
    const secrets = ids.get(keyId)
    secrets?.delete(secret)
    if (secrets?.size === 0) ids.delete(keyId)
  }

  function dropExpired(nowMs: number): readonly Caller[] {
    const expired = [...expiring].filter(([, atMs]) => atMs <= nowMs).map(([entry]) => entry)
    for (const entry of expired) dropEntry(entry)
    return expired.map(({ caller }) => caller)
  }

  function unnoted(): readonly CachedKey[] {
    const entries: CachedKey[] = []
    for (const secrets of ids.values()) {
      for (const entry of secrets.values()) if (minuteOf(entry.usedAtMs) > entry.notedMinute) entries.push(entry)
    }
    return entries
  }

  function clear(): void {
    names.clear()
    ids.clear()
    expiring.clear()
  }

  return {
    byName: (name) => names.get(name),
    byId: (keyId, secret) => ids.get(keyId)?.get(secret),
    add,
    drop,
    dropTenant,
    dropExpired,
    unnoted,
    clear,
  }
}

/** The minute of a moment. */
export function minuteOf(ms: number): number {
  return Math.floor(ms / 60_000)
}
