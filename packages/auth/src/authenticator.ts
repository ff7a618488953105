import { withTimeout, type Logger } from '@ariftly/runtime'
import { hasScope, isScope, type Caller, type Scope } from '@ariftly/http'
import { hashApiKey, keyShapeOf } from './api-key.ts'
import { bearerOf, createKeyNamer } from './bearer.ts'
import { createKeyCache, type CachedKey } from './key-cache.ts'
import { startKeyFeed, type KeyChange, type KeyChanges } from './key-feed.ts'
import { createLastUses } from './last-uses.ts'
import { createSecretEnds } from './secret-ends.ts'
import { forbidden, invalidKey, keysUnavailable, missingKey, tenantSuspended } from './auth-problems.ts'
import { createLookupGate } from './lookup-gate.ts'

/** A stored API key and one of its secrets, as the look-up gives them; also when they have ended. */
export interface ApiKeyRecord {
  /** `key_…`. */
  readonly id: string
  readonly tenant: string
  readonly scopes: readonly string[]
  readonly quota: Caller['quota']
  readonly limits: Caller['limits']
  readonly tenantState: 'active' | 'suspended' | 'deleting' | 'deleted'
  readonly expiresAtMs: number | null
  readonly revokedAtMs: number | null
  /** The number of the secret that was looked up. */
  readonly secret: number
  /** When that secret stops, if a rotation has replaced it. */
  readonly secretEndsAtMs: number | null
}

/** What an authenticator needs. */
export interface AuthenticatorOptions {
  /** Finds a key by the SHA-256 of its characters; rejects when the store cannot be read. */
  readonly lookup: (hash: Buffer) => Promise<ApiKeyRecord | undefined>
  /** Finds a key by its id and the number of a secret, for what was sealed with them in it (stream tokens). */
  readonly lookupById?: (keyId: string, secret: number) => Promise<ApiKeyRecord | undefined>
  /** Notes when keys were last used. Default: nothing does. */
  readonly touch?: (uses: readonly { readonly id: string; readonly usedAtMs: number }[]) => Promise<void>
  /** The number of the last change, 0 if there is none. */
  readonly latestChange: () => Promise<number>
  /** The changes after a number, oldest first, and the number of the last one that exists. */
  readonly changesSince: (seq: number) => Promise<KeyChanges>
  readonly log: Pick<Logger, 'warn' | 'info'>
  /** Epoch milliseconds; default `Date.now`. */
  readonly now?: () => number
  /** Pause between two reads of the feed, milliseconds; default 500. */
  readonly feedEveryMs?: number
}

/** A key by its id, and one of its secrets by number. */
export interface KeySecret {
  readonly keyId: string
  readonly secret: number
}

/** Tells who calls. */
export interface Authenticator {
  /**
   * The caller of an `Authorization` header, at once when its key is cached. Throws or rejects with a Problem: 401 for a
   * missing, ill-formed, unknown, revoked or expired key, 403 for a tenant that is not served or a missing scope, 503 while
   * the store cannot be asked.
   */
  authenticate(authorization: string | undefined, scope: Scope | 'any'): Caller | Promise<Caller>
  /** The caller of a key by its id and the number of a secret; the same outcomes. Needs `lookupById`. */
  authenticateKeyId(key: KeySecret, scope: Scope | 'any'): Caller | Promise<Caller>
  /**
   * Calls the listener within 1 s for each key that stops (revoked, expired, or its tenant suspended), and for each secret of
   * a key that stops (`secret`: its number; undefined: all). Returns how to stop that.
   */
  onRevoked(listener: (keyId: string, secret: number | undefined) => void): () => void
  /** Whether the feed has been read once. Until then keys are looked up one by one, and nothing is cached. */
  readonly ready: boolean
  /** `ok`, or since when the store cannot be read; for `/readyz`. */
  readonly state: string
  close(): Promise<void>
}

/** What a service that tells who calls can be given by a process that runs several of them. */
export interface SharedAuthenticator {
  /** Shared by the services of one process, so that Postgres is asked once. Its owner closes it after the services. Default: the service makes its own. */
  readonly authenticator?: Authenticator
}

/** A cached key is trusted for so long after the feed was last read. */
const TRUST_MS = 15 * 60_000
/** A hash that is no valid key is asked for again after so long. */
const UNKNOWN_MS = 1000
const UNKNOWN_MAX = 10_000
const LOOKUP_TIMEOUT_MS = 2000
const LOOKUPS_MAX = 256
/** Texts without a checksum may be random: they have a part of the connections and of the look-ups, so that real keys never wait for them. */
const CHOSEN_KEYS = { runningMax: 2, waitingMax: 64 } as const

/**
 * Creates an authenticator: keys are cached by hash, a feed of changes, read every 500 ms, drops those that changed.
 * While the store cannot be read, cached keys stay valid for 15 minutes and others get 503. Give `lookup` and the feed a
 * small pool of their own: behind slow queries a revocation would come late.
 */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { lookup, log } = options
  const now = options.now ?? Date.now
  const cache = createKeyCache()
  const chosenKeys = createLookupGate(CHOSEN_KEYS)
  const unknownUntilMs = new Map<string, number>()
  const lookups = new Map<string, Lookup>()
  const listeners = new Set<(keyId: string, secret: number | undefined) => void>()
  const ends = createSecretEnds()
  const nameOf = createKeyNamer()
  const uses = createLastUses({ cache, touch: options.touch ?? ((): Promise<void> => Promise.resolve()), now, log })
  const feed = startKeyFeed({
    ...options,
    now,
    onChange(change) {
      for (const { changed } of lookups.values()) changed.add(change.keyId)
      cache.drop(change.keyId)
      follow(change)
    },
    onReset() {
      log.warn('the feed of key changes went back: every key is looked up again')
      cache.clear()
    },
    onTick() {
      const nowMs = now()
      for (const { keyId, secret } of [...cache.dropExpired(nowMs), ...ends.takeDue(nowMs)]) tell(keyId, secret)
      uses.onTick()
    },
  })

  function authenticate(authorization: string | undefined, scope: Scope | 'any'): Caller | Promise<Caller> {
    if (authorization === undefined) throw missingKey()
    // The hash comes first: what is cached was checked before, and this is on the path of every request.
    const name = nameOf(authorization)
    const cached = cache.byName(name)
    if (cached !== undefined) return admit(trusted(cached), scope)
    const key = bearerOf(authorization)
    const shape = keyShapeOf(key)
    if (shape === 'invalid') throw invalidKey()
    const find = () => lookup(hashApiKey(key))
    if (shape === 'generated') return lookupCaller(name, find, scope)
    if (chosenKeys.isFull) throw keysUnavailable()
    return lookupCaller(name, () => chosenKeys.run(find), scope)
  }

  function authenticateKeyId({ keyId, secret }: KeySecret, scope: Scope | 'any'): Caller | Promise<Caller> {
    const { lookupById } = options
    if (lookupById === undefined) throw new TypeError('This authenticator was made without lookupById.')
    const cached = cache.byId(keyId, secret)
    return cached === undefined
      ? lookupCaller(`id:${keyId}:${secret}`, () => lookupById(keyId, secret), scope)
      : admit(trusted(cached), scope)
  }

  /** A cached key that may still be believed. */
  function trusted(cached: CachedKey): Caller {
    const nowMs = now()
    if (nowMs - feed.readAtMs() > TRUST_MS) throw keysUnavailable()
    const { endsAtMs } = cached.caller
    if (endsAtMs !== null && endsAtMs <= nowMs) throw invalidKey()
    cached.usedAtMs = nowMs
    return cached.caller
  }

  async function lookupCaller(name: string, find: Lookup['find'], scope: Scope | 'any'): Promise<Caller> {
    if ((unknownUntilMs.get(name) ?? 0) > now()) throw invalidKey()
    let running = lookups.get(name)
    if (running === undefined) {
      if (lookups.size >= LOOKUPS_MAX) throw keysUnavailable()
      running = startLookup(name, find)
    }
    const caller = await running.result
    if (caller === undefined) throw invalidKey()
    return admit(caller, scope)
  }

  function startLookup(name: string, find: Lookup['find']): Lookup {
    const changed = new Set<string>()
    const running = { find, changed, result: resolveKey(name, find, changed) }
    lookups.set(name, running)
    return running
  }

  async function resolveKey(name: string, find: Lookup['find'], changed: Set<string>): Promise<Caller | undefined> {
    try {
      const record = await findUnchanged(find, changed)
      const caller = record === undefined ? undefined : callerOf(record, now())
      if (caller === undefined) rememberUnknown(name)
      else if (feed.started()) {
        const cached = cache.add(name, caller)
        cached.usedAtMs = now()
        return cached.caller
      }
      return caller
    } catch (error) {
      log.warn({ err: error }, 'an API key cannot be looked up')
      throw keysUnavailable()
    } finally {
      lookups.delete(name)
    }
  }

  /**
   * A key that changed while it was read is read again: the answer may be from before the change. So is one that was read
   * while the feed began, as its change may stand before the feed's beginning.
   */
  async function findUnchanged(find: Lookup['find'], changed: Set<string>): Promise<ApiKeyRecord | undefined> {
    for (;;) {
      changed.clear()
      const wasStarted = feed.started()
      const record = await withTimeout(find(), LOOKUP_TIMEOUT_MS, () => new Error('The look-up took too long.'))
      if (record === undefined || (wasStarted === feed.started() && !changed.has(record.id))) return record
    }
  }

  function rememberUnknown(name: string): void {
    if (unknownUntilMs.size >= UNKNOWN_MAX) unknownUntilMs.clear()
    unknownUntilMs.set(name, now() + UNKNOWN_MS)
  }

  function follow({ kind, keyId, secret, endsAtMs }: KeyChange): void {
    switch (kind) {
      case 'revoked':
      case 'suspended':
        return tell(keyId, undefined)
      case 'updated':
        return ends.announce({ keyId, secret: undefined }, endsAtMs)
      case 'rotated':
        return ends.announce({ keyId, secret: secret ?? undefined }, endsAtMs)
    }
  }

  function tell(keyId: string, secret: number | undefined): void {
    for (const listener of listeners) listener(keyId, secret)
  }

  function onRevoked(listener: (keyId: string, secret: number | undefined) => void): () => void {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }

  return {
    authenticate,
    authenticateKeyId,
    onRevoked,
    get ready() {
      return feed.started()
    },
    get state() {
      return feed.state()
    },
    async close() {
      await feed.close()
      await uses.flush()
    },
  }
}

/** One question to the store, shared by all requests that wait for it. */
interface Lookup {
  readonly find: () => Promise<ApiKeyRecord | undefined>
  /** Keys that the feed named meanwhile. */
  readonly changed: Set<string>
  readonly result: Promise<Caller | undefined>
}

function admit(caller: Caller, scope: Scope | 'any'): Caller {
  if (caller.suspended) throw tenantSuspended()
  if (scope !== 'any' && !hasScope(caller, scope)) throw forbidden(scope)
  return caller
}

function callerOf(record: ApiKeyRecord, nowMs: number): Caller | undefined {
  const { id, secret, tenant, scopes, quota, limits, tenantState, expiresAtMs, revokedAtMs, secretEndsAtMs } = record
  const endsAtMs = earlier(expiresAtMs, secretEndsAtMs)
  if (revokedAtMs !== null || (endsAtMs !== null && endsAtMs <= nowMs)) return undefined
  const isDeleted = tenantState === 'deleting' || tenantState === 'deleted'
  return {
    keyId: id,
    secret,
    tenant,
    scopes: scopes.filter(isScope),
    quota,
    limits,
    suspended: isDeleted || (tenantState === 'suspended' && !scopes.includes('platform')),
    expiresAtMs,
    endsAtMs,
  }
}

function earlier(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other
  return Math.min(one, other)
}
