import { Semaphore } from '@ariftly/async'
import { withTimeout, type Logger } from '@ariftly/runtime'
import { hasScope, type Caller, type Scope } from '@ariftly/http'
import { callerOf, type ApiKeyRecord } from './api-key-record.ts'
import { isApiKeyShaped } from './api-key.ts'
import { bearerOf, createKeyNamer } from './bearer.ts'
import { createKeyCache, type CachedKey } from './key-cache.ts'
import { startKeyFeed, type KeyChange, type KeyChanges } from './key-feed.ts'
import { createKeyLookups, type KeyLookups } from './key-lookups.ts'
import { createLastUses } from './last-uses.ts'
import { createSecretEnds } from './secret-ends.ts'
import { forbidden, invalidKey, keysUnavailable, missingKey, tenantSuspended } from './auth-problems.ts'
import { createUnknownKeys } from './unknown-keys.ts'

/** What an authenticator needs. */
export interface AuthenticatorOptions {
  /** Finds keys by the SHA-256 of their characters, at most 1,000, in the order of the hashes; rejects when the store cannot be read. */
  readonly lookup: (hashes: readonly Buffer[]) => Promise<readonly (ApiKeyRecord | undefined)[]>
  /** The same by the id of a key and the number of a secret, for what was sealed with them in it (stream tokens). */
  readonly lookupById?: (secrets: readonly KeySecret[]) => Promise<readonly (ApiKeyRecord | undefined)[]>
  /** Notes when keys were last used. Default: nothing does. */
  readonly touch?: (uses: readonly { readonly id: string; readonly usedAtMs: number }[]) => Promise<void>
  /** The number of the last change, 0 if there is none. */
  readonly latestChange: () => Promise<number>
  /** The changes after a number, oldest first, and the number of the last one that exists. */
  readonly changesSince: (seq: number) => Promise<KeyChanges>
  readonly log: Pick<Logger, 'warn' | 'info'>
  /** Epoch milliseconds; default `Date.now`. */
  readonly now?: () => number
  /** Milliseconds of a monotonic clock; default `performance.now`. */
  readonly monotonicNow?: () => number
  /** Pause between two reads of the feed, milliseconds; default 500. */
  readonly feedEveryMs?: number
}

/** A key by its id, and one of its secrets by number. */
export interface KeySecret {
  readonly keyId: string
  readonly secret: number
}

/** What the feed says has stopped. */
export type Stopped =
  /** A key, or one of its secrets by number; undefined: all. */
  | { readonly type: 'key'; readonly keyId: string; readonly secret: number | undefined }
  /** All keys of a tenant; those with the scope `platform` only if `withPlatform`. */
  | { readonly type: 'tenant'; readonly tenant: string; readonly withPlatform: boolean }
  /** Any key may have: changes of keys were missed. */
  | { readonly type: 'all' }

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
   * Calls the listener within 1 s for each key that stops (revoked or expired), each secret that does, and each tenant that is
   * suspended or deleted. Returns how to stop that.
   */
  onRevoked(listener: (stopped: Stopped) => void): () => void
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
/** Statements that look up keys, at a time. The rest of the pool is left to the feed. */
const STATEMENTS_MAX = 2
const LOOKUP_TIMEOUT_MS = 2000
/** Keys that wait for a look-up; further ones get 503. A statement of 1,000 takes some milliseconds. */
const WAITING_MAX = 10_000

/**
 * Creates an authenticator: keys are looked up in batches and cached by hash, a feed of changes, read every 500 ms, drops those that changed.
 * While the store cannot be read, cached keys stay valid for 15 minutes and others get 503. Give `lookup` and the feed a
 * small pool of their own: behind slow queries a revocation would come late.
 */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { lookup, lookupById, log } = options
  const now = options.now ?? Date.now
  const monotonicNow = options.monotonicNow ?? performance.now.bind(performance)
  const cache = createKeyCache()
  const unknown = createUnknownKeys({ forMs: UNKNOWN_MS, max: UNKNOWN_MAX, monotonicNow })
  const waiting = new Map<string, Promise<Caller | undefined>>()
  const listeners = new Set<(stopped: Stopped) => void>()
  const ends = createSecretEnds()
  const nameOf = createKeyNamer()
  const uses = createLastUses({
    cache,
    touch: options.touch ?? ((): Promise<void> => Promise.resolve()),
    monotonicNow,
    log,
  })
  const feed = startKeyFeed({
    ...options,
    now,
    monotonicNow,
    onChange(change) {
      for (const lookups of [keysByHash, keysById]) lookups.onChange(change)
      if (change.tenant === null) cache.drop(change.keyId)
      else cache.dropTenant(change.tenant)
      follow(change)
    },
    onReset() {
      log.warn('the feed of key changes went back: every key is looked up again')
      forgetKeys()
    },
    onMissed() {
      log.warn('changes of keys were missed: every key is looked up again, and all streams end')
      forgetKeys()
      tell({ type: 'all' })
    },
    onTick() {
      const nowMs = now()
      for (const { keyId, secret } of [...cache.dropExpired(nowMs), ...ends.takeDue(nowMs)])
        tell({ type: 'key', keyId, secret })
      uses.onTick()
    },
  })
  const shared = { statements: new Semaphore(STATEMENTS_MAX), settle, isFeedStarted: () => feed.started(), log }
  // A name is the hash, or holds id and number of the secret.
  const keysByHash = createKeyLookups({
    ...shared,
    lookup: (names) => lookup(names.map((name) => Buffer.from(name, 'base64'))),
  })
  const keysById = createKeyLookups({
    ...shared,
    lookup: (names) => (lookupById === undefined ? Promise.resolve([]) : lookupById(names.map(secretOf))),
  })

  function authenticate(authorization: string | undefined, scope: Scope | 'any'): Caller | Promise<Caller> {
    if (authorization === undefined) throw missingKey()
    // The hash comes first: what is cached was checked before, and this is on the path of every request.
    const name = nameOf(authorization)
    const cached = cache.byName(name)
    if (cached !== undefined) return admit(trusted(cached), scope)
    if (!isApiKeyShaped(bearerOf(authorization))) throw invalidKey()
    return lookupCaller(name, keysByHash, scope)
  }

  function authenticateKeyId(key: KeySecret, scope: Scope | 'any'): Caller | Promise<Caller> {
    if (lookupById === undefined) throw new TypeError('This authenticator was made without lookupById.')
    const cached = cache.byId(key.keyId, key.secret)
    return cached === undefined ? lookupCaller(nameOfSecret(key), keysById, scope) : admit(trusted(cached), scope)
  }

  /** A cached key that may still be believed. */
  function trusted(cached: CachedKey): Caller {
    if (feed.ageMs() > TRUST_MS) throw keysUnavailable()
    const nowMs = now()
    const { endsAtMs } = cached.caller
    if (endsAtMs !== null && endsAtMs <= nowMs) throw invalidKey()
    cached.usedAtMs = nowMs
    return cached.caller
  }

  async function lookupCaller(name: string, lookups: KeyLookups, scope: Scope | 'any'): Promise<Caller> {
    if (unknown.has(name)) throw invalidKey()
    const caller = await (waiting.get(name) ?? startLookup(name, lookups))
    if (caller === undefined) throw invalidKey()
    return admit(caller, scope)
  }

  /** One look-up, shared by all requests that wait for it. */
  function startLookup(name: string, lookups: KeyLookups): Promise<Caller | undefined> {
    if (keysByHash.size + keysById.size >= WAITING_MAX) throw keysUnavailable()
    const result = withTimeout(lookups.find(name), LOOKUP_TIMEOUT_MS)
      .catch(() => {
        throw keysUnavailable()
      })
      .finally(() => waiting.delete(name))
    waiting.set(name, result)
    return result
  }

  function settle(name: string, record: ApiKeyRecord | undefined): Caller | undefined {
    const caller = record === undefined ? undefined : callerOf(record, now())
    if (caller === undefined) unknown.add(name)
    else if (feed.started()) {
      const cached = cache.add(name, caller)
      cached.usedAtMs = now()
      return cached.caller
    }
    return caller
  }

  function forgetKeys(): void {
    for (const lookups of [keysByHash, keysById]) lookups.onReset()
    cache.clear()
  }

  function follow({ kind, keyId, tenant, secret, endsAtMs }: KeyChange): void {
    switch (kind) {
      case 'revoked':
      case 'suspended':
        return tell({ type: 'key', keyId, secret: undefined })
      case 'updated':
        return ends.announce({ keyId, secret: undefined }, endsAtMs)
      case 'rotated':
        return ends.announce({ keyId, secret: secret ?? undefined }, endsAtMs)
      case 'tenant_suspended':
      case 'tenant_deleted':
        return tell({ type: 'tenant', tenant: tenant ?? '', withPlatform: kind === 'tenant_deleted' })
      case 'tenant_updated':
        return
    }
  }

  function tell(stopped: Stopped): void {
    for (const listener of listeners) listener(stopped)
  }

  function onRevoked(listener: (stopped: Stopped) => void): () => void {
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

function admit(caller: Caller, scope: Scope | 'any'): Caller {
  if (caller.suspended) throw tenantSuspended()
  if (scope !== 'any' && !hasScope(caller, scope)) throw forbidden(scope)
  return caller
}

function nameOfSecret({ keyId, secret }: KeySecret): string {
  return `${keyId} ${secret}`
}

function secretOf(name: string): KeySecret {
  const [keyId = '', secret] = name.split(' ')
  return { keyId, secret: Number(secret) }
}
