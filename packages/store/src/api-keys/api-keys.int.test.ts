import { afterAll, describe, expect, test } from '@jest/globals'
import { createHash, randomBytes } from 'node:crypto'
import { newTypeId } from '@ariftly/events'
import { createTestDatabase, untilBlocking } from '@ariftly/testkit'
import { withTransaction } from '../with-transaction.ts'
import { findApiKeysByHash, findApiKeysById, type ApiKeySecret } from './find-api-keys.ts'
import {
  insertApiKey,
  listApiKeys,
  revokeApiKey,
  rotateApiKey,
  seedBootstrapKey,
  touchApiKeys,
  updateApiKey,
  type NewApiKey,
} from './api-keys.ts'
import { latestApiKeyChange, readApiKeyChanges } from './api-key-changes.ts'

const database = await createTestDatabase()
const pool = database.openPool({ max: 5 })

afterAll(() => database.drop())

async function insert(fields: Partial<NewApiKey> = {}): Promise<NewApiKey> {
  const key: NewApiKey = {
    id: newTypeId('key', Date.now()),
    tenant: 'a',
    name: 'test',
    scopes: ['events:read', 'webhooks'],
    hash: randomBytes(32),
    quota: { eventsPerS: 10, bytesPerS: 2 ** 40 },
    expiresAtMs: Date.UTC(2030, 0, 1),
    createdAtMs: Date.now(),
    ...fields,
  }
  expect(await insertApiKey(pool, key)).toBe(true)
  return key
}

function revoke(id: string): Promise<boolean> {
  return withTransaction(pool, (tx) => revokeApiKey(tx, { id }))
}

function rotate(id: string, hash: Buffer, overlapMs: number): Promise<boolean> {
  return withTransaction(pool, (tx) => rotateApiKey(tx, { id, hash, overlapMs }))
}

const findByHash = async (hash: Buffer): Promise<ApiKeySecret | undefined> => (await findApiKeysByHash(pool, [hash]))[0]
const findById = async (asked: { keyId: string; secret: number }): Promise<ApiKeySecret | undefined> =>
  (await findApiKeysById(pool, [asked]))[0]

const NEW_KEY = {
  lastUsedAtMs: null,
  revokedAtMs: null,
  secret: 1,
  secretEndsAtMs: null,
  tenantState: 'active',
  limits: { eventsPerS: null, streams: null, webhooks: null },
} as const

/** The changes of the feed after a number, without their numbers. */
async function changesAfter(afterSeq: number): Promise<readonly unknown[]> {
  const { changes } = await readApiKeyChanges(pool, { afterSeq })
  return changes.map((change) => ({ ...change, seq: undefined }))
}

describe('a stored key', () => {
  test('is found by hash and by id, unchanged', async () => {
    const { hash, ...key } = await insert()
    expect(await findByHash(hash)).toEqual({ ...key, ...NEW_KEY })
    expect(await findById({ keyId: key.id, secret: 1 })).toEqual({ ...key, ...NEW_KEY })
    expect(await findByHash(randomBytes(32))).toBeUndefined()
    expect(await findById({ keyId: 'key_nonsense', secret: 1 })).toBeUndefined()
    expect(await findById({ keyId: key.id, secret: 2 })).toBeUndefined()
  })

  test('with a quota beyond 2^53 - 1, stored without a check, is read with that, in one batch with another', async () => {
    const [large, other] = [await insert({ tenant: 'large' }), await insert()]
    await pool.query('UPDATE api_keys SET quota_bytes_per_s = 9223372036854775807 WHERE hash = $1', [large.hash])
    const quotas = (await findApiKeysByHash(pool, [large.hash, other.hash])).map((key) => key?.quota.bytesPerS)
    expect(quotas).toEqual([Number.MAX_SAFE_INTEGER, 2 ** 40])
    const [listed] = await listApiKeys(pool, { tenant: 'large', limit: 1 })
    expect(listed?.quota.bytesPerS).toBe(Number.MAX_SAFE_INTEGER)
  })

  test('is found among a thousand others that are asked for, by hash and by id, in the order of the question', async () => {
    const [one, other] = [await insert(), await insert()]
    const rotated = randomBytes(32)
    expect(await rotate(other.id, rotated, 60_000)).toBe(true)
    const hashes: Buffer[] = Array.from({ length: 1000 }, () => randomBytes(32))
    hashes.splice(10, 1, other.hash)
    hashes.splice(500, 1, one.hash)
    hashes.splice(999, 1, rotated)
    const found = (await findApiKeysByHash(pool, hashes)).flatMap((key, at) =>
      key === undefined ? [] : [[at, key.id, key.secret]],
    )
    expect(found).toEqual([
      [10, other.id, 1],
      [500, one.id, 1],
      [999, other.id, 2],
    ])
    const asked = [other.id, one.id, other.id, one.id, newTypeId('key')].map((keyId, at) => ({
      keyId,
      secret: at === 0 || at === 3 ? 2 : 1,
    }))
    const byId = (await findApiKeysById(pool, asked)).map((key) => key && [key.id, key.secret])
    expect(byId).toEqual([[other.id, 2], [one.id, 1], [other.id, 1], undefined, undefined])
  })

  test('cannot be stored twice', async () => {
    const key = await insert()
    expect(await insertApiKey(pool, { ...key, id: newTypeId('key', Date.now()) })).toBe(false)
  })

  test('can be neither given other scopes nor deleted by a service', async () => {
    const { hash } = await insert()
    const denied = { sqlState: '42501' }
    await expect(pool.query("UPDATE api_keys SET scopes = '{admin}' WHERE hash = $1", [hash])).rejects.toMatchObject(
      denied,
    )
    await expect(pool.query('DELETE FROM api_keys WHERE hash = $1', [hash])).rejects.toMatchObject(denied)
    await expect(pool.query('DELETE FROM api_key_changes')).rejects.toMatchObject(denied)
  })
})

describe('listApiKeys', () => {
  test("gives the tenant's keys, newest first, in pages, without revoked ones", async () => {
    const keys: NewApiKey[] = []
    for (let n = 0; n < 5; n += 1) keys.push(await insert({ tenant: 'list', id: newTypeId('key', 1000 + n) }))
    await insert({ tenant: 'other' })
    const ids = keys.map(({ id }) => id).toReversed()
    await revoke(ids[1] ?? '')
    const left = ids.filter((_, at) => at !== 1)
    const first = (await listApiKeys(pool, { tenant: 'list', limit: 2 })).map(({ id }) => id)
    const rest = (await listApiKeys(pool, { tenant: 'list', limit: 9, cursorId: first[1] ?? '' })).map(({ id }) => id)
    expect([...first, ...rest]).toEqual(left)
  })
})

describe('revokeApiKey', () => {
  test('marks the key as revoked and writes one change for the other processes', async () => {
    const before = await latestApiKeyChange(pool)
    const { id, hash } = await insert()
    expect(await revoke(id)).toBe(true)
    expect((await findByHash(hash))?.revokedAtMs).toBeGreaterThan(0)
    const { latestSeq, changes } = await readApiKeyChanges(pool, { afterSeq: before })
    expect(changes).toEqual([{ seq: latestSeq, keyId: id, kind: 'revoked', secret: null, endsAtMs: null }])
  })

  test('does nothing for a second time, or a key that is not there', async () => {
    const { id } = await insert()
    expect(await revoke(id)).toBe(true)
    const before = await latestApiKeyChange(pool)
    expect(await revoke(id)).toBe(false)
    expect(await revoke(newTypeId('key', 1))).toBe(false)
    expect(await revoke('../x')).toBe(false)
    expect(await readApiKeyChanges(pool, { afterSeq: before })).toEqual({
      latestSeq: before,
      removedSeq: 0,
      changes: [],
    })
  })
})

describe('updateApiKey', () => {
  test('writes name, quota and end, and announces the new end', async () => {
    const { hash, ...key } = await insert()
    const before = await latestApiKeyChange(pool)
    const changes = { name: 'new', quota: { eventsPerS: null, bytesPerS: 7 }, expiresAtMs: Date.UTC(2031, 0, 1) }
    await withTransaction(pool, (tx) => updateApiKey(tx, { id: key.id, ...changes }))
    expect(await findByHash(hash)).toMatchObject({ ...key, ...changes })
    const { expiresAtMs: endsAtMs } = changes
    expect(await changesAfter(before)).toEqual([{ keyId: key.id, kind: 'updated', secret: null, endsAtMs }])
  })
})

describe('rotateApiKey', () => {
  test('finds the key by both secrets, by the old one with its end, and refuses another rotation until then', async () => {
    const { id, hash } = await insert()
    const before = await latestApiKeyChange(pool)
    const newHash = randomBytes(32)
    expect(await rotate(id, newHash, 60_000)).toBe(true)
    expect(await findByHash(newHash)).toMatchObject({ id, secret: 2, secretEndsAtMs: null })
    const old = await findByHash(hash)
    expect(old).toMatchObject({ id, secret: 1 })
    expect(old?.secretEndsAtMs).toBeGreaterThan(Date.now() + 30_000)
    expect(await findById({ keyId: id, secret: 1 })).toEqual(old)
    expect(await changesAfter(before)).toEqual([
      { keyId: id, kind: 'rotated', secret: 1, endsAtMs: old?.secretEndsAtMs },
    ])
    expect(await rotate(id, randomBytes(32), 0)).toBe(false)
  })

  test('without overlap the old secret has ended, and the next rotation is free', async () => {
    const { id, hash } = await insert()
    expect(await rotate(id, randomBytes(32), 0)).toBe(true)
    expect((await findByHash(hash))?.secretEndsAtMs).toBeLessThanOrEqual(Date.now())
    expect(await rotate(id, randomBytes(32), 0)).toBe(true)
  })

  test('a bootstrap key that was rotated is not seeded again', async () => {
    const key = 'bootstrap-key-that-is-rotated'
    const hash = createHash('sha256').update(key).digest()
    expect(await seedBootstrapKey(pool, key)).toBe(true)
    const id = (await findByHash(hash))?.id ?? ''
    await rotate(id, randomBytes(32), 0)
    expect(await seedBootstrapKey(pool, key)).toBe(false)
    expect(await findByHash(hash)).toMatchObject({ id, secret: 1 })
  })
})

test('the last use is stored to the minute, and an earlier one changes nothing', async () => {
  const { id, hash } = await insert()
  const usedAtMs = Date.UTC(2026, 0, 1, 10, 5, 59)
  await touchApiKeys(pool, [{ id, usedAtMs }])
  await touchApiKeys(pool, [{ id, usedAtMs: usedAtMs - 3_600_000 }])
  expect((await findByHash(hash))?.lastUsedAtMs).toBe(Date.UTC(2026, 0, 1, 10, 5))
})

describe('the feed', () => {
  test('a number is never seen before a smaller one, whichever writer commits first', async () => {
    const [slow, quick] = [await insert(), await insert()]
    const before = await latestApiKeyChange(pool)
    const tx = await pool.connect()
    await tx.query('BEGIN')
    await revokeApiKey(tx, { id: slow.id })
    const second = revoke(quick.id)
    // The second writer must be seen to wait for the first.
    await untilBlocking(tx)
    expect((await readApiKeyChanges(pool, { afterSeq: before })).changes).toEqual([])
    await tx.query('COMMIT')
    tx.release()
    await second
    const { changes } = await readApiKeyChanges(pool, { afterSeq: before })
    expect(changes).toMatchObject([{ keyId: slow.id }, { keyId: quick.id }])
  })

  test('is read in parts', async () => {
    const before = await latestApiKeyChange(pool)
    for (let n = 0; n < 3; n += 1) await revoke((await insert()).id)
    const first = await readApiKeyChanges(pool, { afterSeq: before, limit: 2 })
    expect(first.changes).toHaveLength(2)
    const rest = await readApiKeyChanges(pool, { afterSeq: first.changes[1]?.seq ?? 0 })
    expect([rest.changes.length, rest.latestSeq]).toEqual([1, first.latestSeq])
  })
})

test('the bootstrap key has tenant default and all scopes, and seeding it again changes nothing', async () => {
  const key = 'bootstrap-key-0123456789abcdef'
  expect([await seedBootstrapKey(pool, key), await seedBootstrapKey(pool, key)]).toEqual([true, false])
  const found = await findByHash(createHash('sha256').update(key).digest())
  expect(found).toMatchObject({ tenant: 'default', name: 'bootstrap', expiresAtMs: null })
  expect(found?.scopes).toEqual(['events:write', 'events:read', 'webhooks', 'admin', 'platform'])
})
