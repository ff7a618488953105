import type { Caller } from '@ariftly/http'

/** A key that was found valid. */
export interface CachedKey {
  readonly caller: Caller
}

/** Valid keys by hash and by id. Bounded: when full the oldest entry goes, which costs it a look-up. */
export interface KeyCache {
  byHash(name: string): CachedKey | undefined
  byId(keyId: string): CachedKey | undefined
  /** Caches a key and gives its caller: the one that is cached already, if it is, as quotas and streams hang on the object. */
  add(name: string, caller: Caller): Caller
  drop(keyId: string): void
  /** Drops the keys whose time is over and gives their ids. */
  dropExpired(nowMs: number): readonly string[]
  clear(): void
}

interface Entry extends CachedKey {
  /** Names by which the key is cached: its hash, and what {@link KeyCache.add} was told for a look-up by id. */
  readonly names: Set<string>
}

/** Creates an empty cache of at most `max` keys. */
export function createKeyCache(max = 100_000): KeyCache {
  const names = new Map<string, Entry>()
  const ids = new Map<string, Entry>()
  const expiring = new Map<string, number>()

  function add(name: string, caller: Caller): Caller {
    const entry = ids.get(caller.keyId) ?? { caller, names: new Set<string>() }
    if (!ids.has(caller.keyId)) makeRoom()
    entry.names.add(name)
    names.set(name, entry)
    ids.set(caller.keyId, entry)
    if (caller.expiresAtMs !== null) expiring.set(caller.keyId, caller.expiresAtMs)
    return entry.caller
  }

  function makeRoom(): void {
    if (ids.size < max) return
    for (const oldest of ids.keys()) {
      drop(oldest)
      break
    }
  }

  function drop(keyId: string): void {
    const entry = ids.get(keyId)
    if (entry === undefined) return
    for (const name of entry.names) names.delete(name)
    ids.delete(keyId)
    expiring.delete(keyId)
  }

  function dropExpired(nowMs: number): readonly string[] {
    const expired = [...expiring].filter(([, atMs]) => atMs <= nowMs).map(([keyId]) => keyId)
    for (const keyId of expired) drop(keyId)
    return expired
  }

  function clear(): void {
    names.clear()
    ids.clear()
    expiring.clear()
  }

  return { byHash: (name) => names.get(name), byId: (keyId) => ids.get(keyId), add, drop, dropExpired, clear }
}
