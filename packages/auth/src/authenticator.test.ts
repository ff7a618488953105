import { deferred } from '@ariftly/async'
import { afterEach, describe, expect, test } from '@jest/globals'
import { generateApiKey, hashApiKey } from './api-key.ts'
import type { ApiKeyRecord } from './api-key-record.ts'
import { Authenticator } from './authenticator.ts'
import type { ApiKeyChange } from '@ariftly/store/api-keys'
import type { Stopped } from './stopped-keys.ts'
import { Problem } from '@ariftly/http'
import { eventually } from '@ariftly/testkit'

const open: Authenticator[] = []

afterEach(async () => {
  await Promise.all(open.splice(0).map((auth) => auth.close()))
})

/** Of the changes of a key. */
const KEY = { secret: null, endsAtMs: null }

/** An in-memory key store that can be unavailable, with an authenticator over it and clocks set by hand. */
function createWorld() {
  const records = new Map<string, ApiKeyRecord>()
  const changes: ApiKeyChange[] = []
  const world = {
    isDown: false,
    /** Whether the start of the feed cannot be read, but keys can. */
    isStartHidden: false,
    feedReads: 0,
    removedSeq: 0,
    /** The wall clock and the monotonic clock. */
    nowMs: 1_000_000_000,
    monotonicMs: 0,
    /** Keys that each look-up has read. */
    lookups: [] as number[],
    pass(ms: number): void {
      world.nowMs += ms
      world.monotonicMs += ms
    },
    revoked: [] as string[],
    stopped: [] as Stopped[],
    /** Awaited by a look-up after it has read. */
    afterRead: Promise.resolve(),
    add(fields: Partial<ApiKeyRecord> = {}): string {
      const { key } = generateApiKey()
      const id = fields.id ?? `key_${records.size}`
      const quota = { eventsPerS: null, bytesPerS: null }
      const limits = { eventsPerS: null, streams: null, webhooks: null }
      const secret = {
        secret: 1,
        secretEndsAtMs: null,
        tenantState: 'active',
        limits,
      } as const
      const rest = { tenant: 'a', scopes: ['events:read'], quota, expiresAtMs: null, revokedAtMs: null, ...secret }
      records.set(hashApiKey(key).toString('hex'), { ...rest, ...fields, id })
      return key
    },
    revoke(keyId: string): void {
      for (const [hash, record] of records) if (record.id === keyId) records.set(hash, { ...record, revokedAtMs: 1 })
      changes.push({ seq: (changes.at(-1)?.seq ?? 0) + 3, keyId, kind: 'revoked', ...KEY })
    },
    changeTenant(tenant: string, kind: 'tenant_updated' | 'tenant_suspended' | 'tenant_deleted'): void {
      const tenantState = {
        tenant_updated: 'active',
        tenant_suspended: 'suspended',
        tenant_deleted: 'deleting',
      } as const
      for (const [hash, record] of records) {
        if (record.tenant === tenant) records.set(hash, { ...record, tenantState: tenantState[kind] })
      }
      changes.push({ seq: (changes.at(-1)?.seq ?? 0) + 3, tenant, kind })
    },
    removeOldestChange(): void {
      world.removedSeq = changes.shift()?.seq ?? 0
    },
    forgetChanges(): void {
      changes.length = 0
    },
  }

  async function read<T>(value: () => T): Promise<T> {
    await Promise.resolve()
    if (world.isDown) throw new Error('connection refused')
    return value()
  }

  const auth = new Authenticator({
    async lookup(hashes) {
      const found = await read(() => hashes.map((hash) => records.get(hash.toString('hex'))))
      world.lookups.push(hashes.length)
      await world.afterRead
      return found
    },
    lookupById: (secrets) =>
      read(() =>
        secrets.map(({ keyId, secret }) =>
          [...records.values()].find((record) => record.id === keyId && record.secret === secret),
        ),
      ),
    latestChange: () =>
      read(() => {
        if (world.isStartHidden) throw new Error('connection refused')
        return changes.at(-1)?.seq ?? 0
      }),
    changesSince(seq) {
      world.feedReads += 1
      return read(() => ({
        latestSeq: changes.at(-1)?.seq ?? 0,
        removedSeq: world.removedSeq,
        changes: changes.filter((change) => change.seq > seq),
      }))
    },
    log: { info() {}, warn() {} },
    now: () => world.nowMs,
    monotonicNow: () => world.monotonicMs,
    feedEveryMs: 2,
    lookupTimeoutMs: 60_000,
  })
  auth.onRevoked((stopped) => world.stopped.push(stopped))
  auth.onRevoked((stopped) => world.revoked.push(stopped.type === 'key' ? stopped.keyId : stopped.type))
  open.push(auth)
  return Object.assign(world, { auth })
}

async function started() {
  const world = createWorld()
  await until('the feed is read', () => world.auth.ready)
  return world
}

/** Checks often, as look-ups and the feed are quick here. */
const until = (what: string, check: () => boolean | Promise<boolean>) => eventually(what, check, { everyMs: 1 })

/** Status and code of the refusal, or the caller's tenant. */
async function outcome(auth: Authenticator, key: string | undefined, scope: 'events:read' | 'admin' | 'any' = 'any') {
  try {
    return (await auth.authenticate(key === undefined ? undefined : `Bearer ${key}`, scope)).tenant
  } catch (error) {
    if (error instanceof Problem) return `${error.status} ${error.code}`
    throw error
  }
}

describe('authenticate', () => {
  test('gives the caller, and from the second time on without a look-up', async () => {
    const { auth, ...world } = await started()
    const key = world.add({ tenant: 'b', expiresAtMs: 2_000_000_000 })
    const first = await auth.authenticate(`Bearer ${key}`, 'events:read')
    const second = auth.authenticate(`bearer  ${key}`, 'any')
    expect(second).toBe(first)
    expect(first).toMatchObject({ tenant: 'b', scopes: ['events:read'], expiresAtMs: 2_000_000_000 })
  })

  test.each([[undefined], [''], ['Basic abc'], ['Bearer']])('%p is 401 with WWW-Authenticate', async (header) => {
    const { auth } = await started()
    await expect(async () => await auth.authenticate(header, 'any')).rejects.toMatchObject({
      status: 401,
      code: 'missing_api_key',
      details: { headers: { 'WWW-Authenticate': 'Bearer realm="ariftly"' } },
    })
  })

  test('alternating keys each give their own caller, also after a header without a key', async () => {
    const { auth, ...world } = await started()
    const keys = { a: world.add({ tenant: 'a' }), b: world.add({ tenant: 'b' }) }
    for (const tenant of ['a', 'b', 'b', 'a', 'b'] as const) {
      expect(await outcome(auth, keys[tenant])).toBe(tenant)
      expect(await outcome(auth, undefined)).toBe('401 missing_api_key')
      await expect(async () => await auth.authenticate('Basic abc', 'any')).rejects.toMatchObject({ status: 401 })
    }
  })

  test('a key that cannot be one is refused without a look-up', async () => {
    const world = await started()
    expect(await outcome(world.auth, 'x')).toBe('401 invalid_api_key')
    expect(world.lookups).toEqual([])
  })

  test('answers to unknown, revoked and expired keys are equal', async () => {
    const world = await started()
    const expired = world.add({ expiresAtMs: world.nowMs })
    const revoked = world.add({ revokedAtMs: 1 })
    const { key: unknown } = generateApiKey()
    for (const key of [expired, revoked, unknown]) expect(await outcome(world.auth, key)).toBe('401 invalid_api_key')
  })

  test('a missing scope is 403, and platform may do what admin may', async () => {
    const world = await started()
    const [reader, platform] = [world.add(), world.add({ scopes: ['platform'] })]
    expect(await outcome(world.auth, reader, 'admin')).toBe('403 missing_scope')
    expect(await outcome(world.auth, platform, 'admin')).toBe('a')
    expect(await outcome(world.auth, platform, 'events:read')).toBe('403 missing_scope')
  })

  test('an unknown key is looked up once a second, a known one once in all', async () => {
    const world = await started()
    const { key: unknown } = generateApiKey()
    await Promise.all(Array.from({ length: 50 }, () => outcome(world.auth, unknown)))
    await outcome(world.auth, unknown)
    expect(world.lookups).toEqual([1])
    world.pass(1001)
    await outcome(world.auth, unknown)
    expect(world.lookups).toEqual([1, 1])
    const known = world.add()
    await Promise.all(Array.from({ length: 50 }, () => outcome(world.auth, known)))
    expect(world.lookups).toEqual([1, 1, 1])
  })

  test('keys that arrive while two look-ups run share the next one, be they random, made up or real', async () => {
    const world = await started()
    const gate = deferred()
    world.afterRead = gate.promise
    const key = world.add()
    const first = [outcome(world.auth, generateApiKey().key)]
    await until('a look-up', () => world.lookups.length === 1)
    first.push(outcome(world.auth, generateApiKey().key))
    await until('2 look-ups', () => world.lookups.length === 2)
    const others = Array.from({ length: 1998 }, (_, at) =>
      outcome(world.auth, at % 2 === 0 ? generateApiKey().key : `random-text-number-${at}-`.padEnd(40, 'x')),
    )
    const asked = outcome(world.auth, key)
    // A look-up begins in the tick of the event loop in which it is asked for; the feed is read in later ones.
    const { feedReads } = world
    await until('two reads of the feed', () => world.feedReads > feedReads + 1)
    expect(world.lookups).toEqual([1, 1])
    gate.resolve()
    expect(await asked).toBe('a')
    expect(new Set(await Promise.all([...first, ...others]))).toEqual(new Set(['401 invalid_api_key']))
    expect(world.lookups).toEqual([1, 1, 1000, 999])
  })

  test('at most 10,000 keys wait; a cached one does not', async () => {
    const world = await started()
    const cached = world.add()
    await outcome(world.auth, cached)
    const gate = deferred()
    world.afterRead = gate.promise
    const waiting = Array.from({ length: 10_000 }, (_, at) => outcome(world.auth, `random-text-${at}-`.padEnd(40, 'x')))
    expect(await outcome(world.auth, world.add())).toBe('503 authentication_unavailable')
    expect(await outcome(world.auth, cached)).toBe('a')
    gate.resolve()
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['401 invalid_api_key']))
    expect(await outcome(world.auth, world.add())).toBe('a')
  })

  test('after 10,000 unknown keys only the oldest are forgotten', async () => {
    const world = await started()
    const texts = Array.from({ length: 10_001 }, (_, at) => `random-text-${at}-`.padEnd(40, 'x'))
    for (const part of [texts.slice(0, 9000), texts.slice(9000)]) {
      await Promise.all(part.map((text) => outcome(world.auth, text)))
    }
    const before = world.lookups.length
    for (const text of [...texts.slice(1, 10), ...texts.slice(-10)]) await outcome(world.auth, text)
    expect(world.lookups).toHaveLength(before)
    await outcome(world.auth, texts[0])
    expect(world.lookups).toHaveLength(before + 1)
  })
})

describe('a key that stops', () => {
  test('is refused after its revocation was read from the feed, and listeners are called once', async () => {
    const world = await started()
    const key = world.add({ id: 'key_x' })
    expect(await outcome(world.auth, key)).toBe('a')
    world.revoke('key_x')
    await until('the change is read', () => world.revoked.length > 0)
    expect(await outcome(world.auth, key)).toBe('401 invalid_api_key')
    expect(world.revoked).toEqual(['key_x'])
  })

  test('is refused when its look-up read it before the revocation and returned after it', async () => {
    const world = await started()
    const key = world.add({ id: 'key_x' })
    const gate = deferred()
    world.afterRead = gate.promise
    const asked = outcome(world.auth, key)
    await until('a look-up', () => world.lookups.length === 1)
    world.revoke('key_x')
    await until('the change is read', () => world.revoked.length > 0)
    gate.resolve()
    expect(await asked).toBe('401 invalid_api_key')
  })

  test('is refused also when it was looked up before the feed started and revoked before the start', async () => {
    const world = createWorld()
    const key = world.add({ id: 'key_x' })
    const gate = deferred()
    world.afterRead = gate.promise
    world.isStartHidden = true
    const asked = outcome(world.auth, key)
    await until('a look-up', () => world.lookups.length === 1)
    world.revoke('key_x')
    world.isStartHidden = false
    await until('the feed is read', () => world.auth.ready)
    gate.resolve()
    expect(await asked).toBe('401 invalid_api_key')
    expect(await outcome(world.auth, key)).toBe('401 invalid_api_key')
  })

  test('is refused from the moment it expires, and listeners are called', async () => {
    const world = await started()
    const key = world.add({ id: 'key_x', expiresAtMs: world.nowMs + 1000 })
    expect(await outcome(world.auth, key)).toBe('a')
    world.nowMs += 1000
    expect(await outcome(world.auth, key)).toBe('401 invalid_api_key')
    await until('the change is read', () => world.revoked.length > 0)
    expect(world.revoked).toEqual(['key_x'])
  })

  test('is looked up again when the feed has moved back, as after a restore', async () => {
    const world = await started()
    world.revoke('key_other')
    await until('the change is read', () => world.revoked.length > 0)
    const key = world.add()
    await outcome(world.auth, key)
    const lookups = world.lookups.length
    world.forgetChanges()
    await until('the key is looked up again', () => world.auth.authenticate(`Bearer ${key}`, 'any') instanceof Promise)
    await outcome(world.auth, key)
    expect(world.lookups.length).toBeGreaterThan(lookups)
  })
})

describe('a tenant that stops', () => {
  test('is refused with all keys that are cached or not, those with platform only when it is deleted; another one is not', async () => {
    const world = await started()
    const [key, uncached, other] = [world.add(), world.add(), world.add({ tenant: 'b' })]
    const operator = world.add({ scopes: ['events:read', 'platform'] })
    const outcomes = (keys: readonly string[]) => Promise.all(keys.map((each) => outcome(world.auth, each)))
    expect(await outcomes([key, operator, other])).toEqual(['a', 'a', 'b'])
    const asked = world.lookups.length
    world.changeTenant('a', 'tenant_suspended')
    await until('the change is read', () => world.revoked.length > 0)
    const [refused, ...rest] = await outcomes([key, uncached, operator, other])
    expect([refused, ...rest]).toEqual(['403 tenant_suspended', '403 tenant_suspended', 'a', 'b'])
    expect(world.lookups.slice(asked)).toEqual([3])
    const updated: string[] = []
    world.auth.onTenantUpdated((tenant) => updated.push(tenant))
    world.changeTenant('a', 'tenant_updated')
    await until('the tenant is served again', async () => (await outcome(world.auth, key)) === 'a')
    expect(updated).toEqual(['a'])
    expect(await outcomes([uncached, operator])).toEqual(['a', 'a'])
    world.changeTenant('a', 'tenant_deleted')
    await until('the change is read', () => world.revoked.length > 1)
    expect(await outcomes([key, operator, other])).toEqual(['403 tenant_suspended', '403 tenant_suspended', 'b'])
    expect(world.stopped).toEqual([
      { type: 'tenant', tenant: 'a', withPlatform: false },
      { type: 'tenant', tenant: 'a', withPlatform: true },
    ])
  })

  test('is refused when the look-up of a key read it before and returned after it', async () => {
    const world = await started()
    const key = world.add()
    const gate = deferred()
    world.afterRead = gate.promise
    const asked = outcome(world.auth, key)
    await until('a look-up', () => world.lookups.length === 1)
    world.changeTenant('a', 'tenant_suspended')
    await until('the change is read', () => world.revoked.length > 0)
    gate.resolve()
    expect(await asked).toBe('403 tenant_suspended')
  })
})

test('after changes were removed unread every key is looked up again, and everything that hangs on a key ends', async () => {
  const world = await started()
  const key = world.add({ id: 'key_x' })
  expect(await outcome(world.auth, key)).toBe('a')
  world.isDown = true
  await until('the feed fails', () => world.auth.state !== 'ok')
  world.revoke('key_x')
  world.revoke('key_y')
  world.removeOldestChange()
  world.isDown = false
  await until('the change is read', () => world.revoked.length > 0)
  expect(world.stopped).toEqual([{ type: 'all' }])
  expect(await outcome(world.auth, key)).toBe('401 invalid_api_key')
  world.revoke('key_z')
  await until('the change is read', () => world.revoked.length > 1)
  expect(world.revoked).toEqual(['all', 'key_z'])
})

describe('while the store is unavailable', () => {
  test('cached keys stay valid for 15 minutes, others are 503 and not 401', async () => {
    const world = await started()
    const [key, other] = [world.add(), world.add()]
    await outcome(world.auth, key)
    world.isDown = true
    await until('the feed fails', () => world.auth.state !== 'ok')
    expect(await outcome(world.auth, other)).toBe('503 authentication_unavailable')
    world.pass(14 * 60_000)
    expect(await outcome(world.auth, key)).toBe('a')
    world.pass(2 * 60_000)
    expect(await outcome(world.auth, key)).toBe('503 authentication_unavailable')
    world.isDown = false
    await until('the feed is read again', () => world.auth.state === 'ok')
    expect([await outcome(world.auth, key), await outcome(world.auth, other)]).toEqual(['a', 'a'])
  })

  test('with a clock that is set back a cached key lives no longer, and an unknown one is asked for after a second', async () => {
    const world = await started()
    const [key, late] = [world.add(), generateApiKey().key]
    expect([await outcome(world.auth, key), await outcome(world.auth, late)]).toEqual(['a', '401 invalid_api_key'])
    world.nowMs -= 3_600_000
    world.monotonicMs += 1001
    const asked = world.lookups.length
    await outcome(world.auth, late)
    expect(world.lookups).toHaveLength(asked + 1)
    world.isDown = true
    await until('the feed fails', () => world.auth.state !== 'ok')
    world.monotonicMs += 15 * 60_000 + 1
    expect(await outcome(world.auth, key)).toBe('503 authentication_unavailable')
  })

  test('a revocation made meanwhile is seen when it is back', async () => {
    const world = await started()
    const key = world.add({ id: 'key_x' })
    await outcome(world.auth, key)
    world.isDown = true
    await until('the feed fails', () => world.auth.state !== 'ok')
    world.revoke('key_x')
    world.isDown = false
    await until('the change is read', () => world.revoked.length > 0)
    expect(await outcome(world.auth, key)).toBe('401 invalid_api_key')
  })

  test('a start without it is not ready, and becomes ready when it is back', async () => {
    const world = createWorld()
    world.isDown = true
    const key = world.add()
    expect(await outcome(world.auth, key)).toBe('503 authentication_unavailable')
    expect(world.auth.ready).toBe(false)
    world.isDown = false
    await until('the feed is read', () => world.auth.ready)
    expect(await outcome(world.auth, key)).toBe('a')
  })
})

describe('authenticateKeyId', () => {
  test('gives the same caller as the key itself, until it is revoked', async () => {
    const world = await started()
    const key = world.add({ id: 'key_x' })
    const byId = await world.auth.authenticateKeyId({ keyId: 'key_x', secret: 1 }, 'events:read')
    expect(await world.auth.authenticate(`Bearer ${key}`, 'any')).toBe(byId)
    world.revoke('key_x')
    await until('the change is read', () => world.revoked.length > 0)
    await expect(
      async () => await world.auth.authenticateKeyId({ keyId: 'key_x', secret: 1 }, 'any'),
    ).rejects.toMatchObject({ status: 401 })
  })
})
