import { Semaphore } from '@ariftly/async'
import { withTimeout, type Logger } from '@ariftly/runtime'
import { hasScope, type Caller, type Scope } from '@ariftly/http'
import type { ApiKeyChange, ApiKeyStore } from '@ariftly/store/api-keys'
import { callerOf, type ApiKeyRecord } from './api-key-record.ts'
import { isApiKeyShaped } from './api-key.ts'
import { bearerOf, createKeyNamer } from './bearer.ts'
import { KeyCache, type CachedKey } from './key-cache.ts'
import { startKeyFeed, type KeyFeed } from './key-feed.ts'
import { createKeyLookups, type KeyLookups } from './key-lookups.ts'
import { createLastUses, type LastUses } from './last-uses.ts'
import { forbidden, invalidKey, keysUnavailable, missingKey, tenantSuspended } from './auth-problems.ts'
import { StoppedKeys, type Stopped } from './stopped-keys.ts'
import { createUnknownKeys, type UnknownKeys } from './unknown-keys.ts'

interface AuthenticatorOptions extends Pick<ApiKeyStore, 'latestChange' | 'changesSince'> {
  /** Finds keys by the SHA-256 of their characters, at most 1,000, in the order of the hashes; rejects when the store cannot be read. */
  readonly lookup: (hashes: readonly Buffer[]) => Promise<readonly (ApiKeyRecord | undefined)[]>
  /** The same by a key's id and a secret's number, for stream tokens, which hold these. */
  readonly lookupById?: (secrets: readonly KeySecret[]) => Promise<readonly (ApiKeyRecord | undefined)[]>
  /** Notes when keys were last used. Default: nothing does. */
  readonly touch?: ApiKeyStore['touch']
  readonly log: Pick<Logger, 'warn' | 'info'>
  /** Epoch milliseconds; default `Date.now`. */
  readonly now?: () => number
  /** Milliseconds of a monotonic clock; default `performance.now`. */
  readonly monotonicNow?: () => number
  /** Pause between two reads of the feed, milliseconds; default 500. */
  readonly feedEveryMs?: number
  /** A caller whose key was not found within this many milliseconds gets 503; default 2,000. */
  readonly lookupTimeoutMs?: number
}

/** A key by its id, and one of its secrets by number. */
interface KeySecret {
  readonly keyId: string
  readonly secret: number
}

/** An authenticator shared by the services of one process. */
export interface SharedAuthenticator {
  /** Shared by the services of one process, so that Postgres is asked once. Its owner closes it after the services. Default: the service makes its own. */
  readonly authenticator?: Authenticator
}

/** A cached key is trusted for this long after the feed was last read. */
const TRUST_MS = 15 * 60_000
/** A hash without a valid key is looked up again after this long. */
const UNKNOWN_MS = 1000
const UNKNOWN_MAX = 10_000
/** Concurrent statements that look up keys. The rest of the pool is for the feed. */
const STATEMENTS_MAX = 2
/** Keys that wait for a look-up; further ones get 503. A statement of 1,000 takes some milliseconds. */
const WAITING_MAX = 10_000

/**
 * Tells who calls. Keys are looked up in batches and cached by hash; a feed of changes, read every 500 ms, drops
 * changed ones. While the store cannot be read, cached keys stay valid for 15 minutes and others get 503. Give `lookup` and
 * the feed their own small pool: behind slow queries revocations would be late.
 */
export class Authenticator {
  readonly #now: () => number
  readonly #lookupTimeoutMs: number
  readonly #log: AuthenticatorOptions['log']
  readonly #cache = new KeyCache()
  readonly #unknown: UnknownKeys
  /** Look-ups under way, by name. */
  readonly #waiting = new Map<string, Promise<Caller | undefined>>()
  readonly #stopped = new StoppedKeys()
  readonly #tenantListeners = new Set<(tenant: string) => void>()
  readonly #nameOf = createKeyNamer()
  readonly #uses: LastUses
  readonly #feed: KeyFeed
  // A name is the hash, or holds id and number of the secret.
  readonly #keysByHash: KeyLookups
  /** Undefined without `lookupById`. */
  readonly #keysById: KeyLookups | undefined

  constructor(o: AuthenticatorOptions) {
    const { lookup, lookupById, log, now = Date.now, monotonicNow = performance.now.bind(performance) } = o
    this.#now = now
    this.#lookupTimeoutMs = o.lookupTimeoutMs ?? 2000
    this.#log = log
    this.#unknown = createUnknownKeys({ forMs: UNKNOWN_MS, max: UNKNOWN_MAX, monotonicNow })
    this.#uses = createLastUses({ cache: this.#cache, touch: o.touch ?? noTouch, monotonicNow, log })
    const shared = {
      statements: new Semaphore(STATEMENTS_MAX),
      settle: (name: string, record: ApiKeyRecord | undefined) => this.#settle(name, record),
      isFeedStarted: () => this.ready,
      log,
    }
    this.#keysByHash = createKeyLookups({
      ...shared,
      lookup: (names) => lookup(names.map((name) => Buffer.from(name, 'base64'))),
    })
    if (lookupById !== undefined) {
      this.#keysById = createKeyLookups({ ...shared, lookup: (names) => lookupById(names.map(secretOf)) })
    }
    this.#feed = startKeyFeed({
      ...o,
      now,
      monotonicNow,
      onChange: (change) => this.#onChange(change),
      onReset: () => this.#onReset(),
      onMissed: () => this.#onMissed(),
      onTick: () => this.#onTick(),
    })
  }

  /** Whether the feed has been read once. Until then keys are looked up one by one, and nothing is cached. */
  get ready(): boolean {
    return this.#feed.started()
  }

  /** `ok`, or since when the store cannot be read; for `/readyz`. */
  get state(): string {
    return this.#feed.state()
  }

  /**
   * The caller of an `Authorization` header; no promise when its key is cached. Throws or rejects with a Problem: 401 for a
   * missing, ill-formed, unknown, revoked or expired key, 403 for a tenant that is not served or a missing scope, 503 while
   * the store is unavailable.
   */
  authenticate(authorization: string | undefined, scope: Scope | 'any'): Caller | Promise<Caller> {
    if (authorization === undefined) throw missingKey()
    // The cache first: cached keys were checked before, and this is on the path of every request.
    const name = this.#nameOf(authorization)
    const cached = this.#cache.byName(name)
    if (cached !== undefined) return admit(this.#trusted(cached), scope)
    if (!isApiKeyShaped(bearerOf(authorization))) throw invalidKey()
    return this.#lookUpCaller(name, this.#keysByHash, scope)
  }

  /** The caller of a key by its id and the number of a secret; the same outcomes. Needs `lookupById`. */
  authenticateKeyId(key: KeySecret, scope: Scope | 'any'): Caller | Promise<Caller> {
    if (this.#keysById === undefined) throw new TypeError('This authenticator was made without lookupById.')
    const cached = this.#cache.byId(key.keyId, key.secret)
    if (cached !== undefined) return admit(this.#trusted(cached), scope)
    return this.#lookUpCaller(nameOfSecret(key), this.#keysById, scope)
  }

  /**
   * Calls the listener within 1 s for each key that stops (revoked or expired), each secret that does, and each tenant that is
   * suspended or deleted. Returns how to stop that.
   */
  onRevoked(listener: (stopped: Stopped) => void): () => void {
    return this.#stopped.onStopped(listener)
  }

  /** Calls the listener within 1 s for each tenant whose limits changed, or that is served again. Returns how to stop that. */
  onTenantUpdated(listener: (tenant: string) => void): () => void {
    this.#tenantListeners.add(listener)
    return () => this.#tenantListeners.delete(listener)
  }

  async close(): Promise<void> {
    await this.#feed.close()
    await this.#uses.flush()
  }

  /** A cached key that may still be believed. */
  #trusted(cached: CachedKey): Caller {
    if (this.#feed.ageMs() > TRUST_MS) throw keysUnavailable()
    const nowMs = this.#now()
    const { endsAtMs } = cached.caller
    if (endsAtMs !== null && endsAtMs <= nowMs) throw invalidKey()
    cached.usedAtMs = nowMs
    return cached.caller
  }

  async #lookUpCaller(name: string, lookups: KeyLookups, scope: Scope | 'any'): Promise<Caller> {
    if (this.#unknown.has(name)) throw invalidKey()
    const caller = await (this.#waiting.get(name) ?? this.#startLookup(name, lookups))
    if (caller === undefined) throw invalidKey()
    return admit(caller, scope)
  }

  /** One look-up, shared by all requests that wait for it. */
  #startLookup(name: string, lookups: KeyLookups): Promise<Caller | undefined> {
    if (this.#keysByHash.size + (this.#keysById?.size ?? 0) >= WAITING_MAX) throw keysUnavailable()
    const result = withTimeout(lookups.find(name), this.#lookupTimeoutMs)
      .catch(() => {
        throw keysUnavailable()
      })
      .finally(() => this.#waiting.delete(name))
    this.#waiting.set(name, result)
    return result
  }

  #settle(name: string, record: ApiKeyRecord | undefined): Caller | undefined {
    const caller = record === undefined ? undefined : callerOf(record, this.#now())
    if (caller === undefined) this.#unknown.add(name)
    else if (this.ready) {
      const cached = this.#cache.add(name, caller)
      cached.usedAtMs = this.#now()
      return cached.caller
    }
    return caller
  }

  #onChange(change: ApiKeyChange): void {
    this.#keysByHash.onChange(change)
    this.#keysById?.onChange(change)
    if ('tenant' in change) this.#cache.dropTenant(change.tenant)
    else this.#cache.drop(change.keyId)
    this.#stopped.onChange(change)
    if (change.kind !== 'tenant_updated') return
    for (const listener of this.#tenantListeners) listener(change.tenant)
  }

  #onReset(): void {
    this.#log.warn(
      'the feed of key changes has a lower number than before, as after a restore: every key is looked up again',
    )
    this.#forgetKeys()
  }

  #onMissed(): void {
    this.#log.warn('changes of keys were missed: every key is looked up again, and all streams end')
    this.#forgetKeys()
    this.#stopped.report({ type: 'all' })
  }

  #onTick(): void {
    const nowMs = this.#now()
    for (const { keyId, secret } of this.#cache.dropExpired(nowMs)) this.#stopped.report({ type: 'key', keyId, secret })
    this.#stopped.endDue(nowMs)
    this.#uses.onTick()
  }

  #forgetKeys(): void {
    this.#keysByHash.onReset()
    this.#keysById?.onReset()
    this.#cache.clear()
  }
}

function noTouch(): Promise<void> {
  return Promise.resolve()
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
