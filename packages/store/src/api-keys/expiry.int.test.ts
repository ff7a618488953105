import { randomBytes } from 'node:crypto'
import { newTypeId, typeIdToUuid } from '@ariftly/events'
import { createTestDatabase } from '@ariftly/testkit'
import { afterAll, describe, expect, test } from '@jest/globals'
import { withTransaction } from '../with-transaction.ts'
import { deleteExpiredApiKeyChanges, latestApiKeyChange, readApiKeyChanges } from './api-key-changes.ts'
import { deleteRevokedApiKeys, insertApiKey, revokeApiKey, rotateApiKey } from './api-keys.ts'
import { findApiKeysByHash } from './find-api-keys.ts'

const database = await createTestDatabase()
const admin = database.openPool({ owner: true })
/** Of the services' role: it has no right to delete. */
const pool = database.openPool()

afterAll(() => database.drop())

interface Key {
  readonly id: string
  readonly tenant: string
  readonly hash: Buffer
}

async function insert(tenant: string, hash: Buffer = randomBytes(32)): Promise<Key | undefined> {
  const key = { id: newTypeId('key'), tenant, hash }
  const quota = { eventsPerS: null, bytesPerS: null }
  const rest = { name: 'test', scopes: ['events:read'], quota, expiresAtMs: null, createdAtMs: Date.now() }
  return (await insertApiKey(pool, { ...key, ...rest })) ? key : undefined
}

async function insertRevoked(tenant: string, daysAgo: number): Promise<Key> {
  const key = await insert(tenant)
  if (key === undefined) throw new Error('The key was not stored.')
  await withTransaction(pool, (tx) => revokeApiKey(tx, key))
  await admin.query(`UPDATE api_keys SET revoked_at = now() - $2 * interval '1 day' WHERE id = $1`, [
    typeIdToUuid('key', key.id),
    daysAgo,
  ])
  return key
}

describe('deleteRevokedApiKeys', () => {
  test('removes keys that were revoked 35 days ago, and keeps the hashes of all their secrets with the tenant', async () => {
    const live = await insert('acme')
    const rotated = await insert('acme')
    const hash = randomBytes(32)
    await withTransaction(pool, (tx) => rotateApiKey(tx, { id: rotated?.id ?? '', hash, overlapMs: 0 }))
    await withTransaction(pool, (tx) => revokeApiKey(tx, { id: rotated?.id ?? '' }))
    await admin.query(`UPDATE api_keys SET revoked_at = now() - interval '36 days' WHERE hash = $1`, [hash])
    const recent = await insertRevoked('acme', 34)
    const old = [await insertRevoked('acme', 36), await insertRevoked('other', 400)]
    expect([await deleteRevokedApiKeys(pool, 2), await deleteRevokedApiKeys(pool, 2)]).toEqual([2, 1])
    expect(await deleteRevokedApiKeys(pool, 2)).toBe(0)

    const hashes = [live, recent, rotated, ...old].map((key) => key?.hash ?? hash)
    const found = await findApiKeysByHash(pool, [...hashes, hash])
    expect(found.map((key) => key?.id)).toEqual([live?.id, recent.id, undefined, undefined, undefined, undefined])
    const { rows } = await pool.query('SELECT tenant_id AS tenant, hash FROM removed_api_key_hashes')
    expect(new Set(rows)).toEqual(
      new Set([
        { tenant: 'acme', hash },
        { tenant: 'acme', hash: rotated?.hash },
        { tenant: 'acme', hash: old[0]?.hash },
        { tenant: 'other', hash: old[1]?.hash },
      ]),
    )
    for (const removed of [hash, rotated?.hash, old[0]?.hash]) expect(await insert('third', removed)).toBeUndefined()
  })
})

describe('the feed', () => {
  test('keeps a day and its newest entry, and says how far it was removed', async () => {
    for (let n = 0; n < 5; n += 1) await insertRevoked('feed', 0)
    const { changes, removedSeq: before } = await readApiKeyChanges(pool, { afterSeq: 0 })
    expect(before).toBe(0)
    const seqs = changes.map(({ seq }) => seq)
    const [recent = 0, newest = 0] = seqs.slice(-2)
    await admin.query(`UPDATE api_key_changes SET changed_at = now() - interval '25 hours' WHERE seq < $1`, [recent])
    expect(await deleteExpiredApiKeyChanges(pool, 2)).toBe(2)
    expect(await readApiKeyChanges(pool, { afterSeq: newest })).toMatchObject({ removedSeq: seqs[1] })
    expect(await deleteExpiredApiKeyChanges(pool, 1000)).toBe(seqs.length - 4)
    const left = await readApiKeyChanges(pool, { afterSeq: 0 })
    expect(left).toMatchObject({
      latestSeq: newest,
      removedSeq: seqs.at(-3),
      changes: [{ seq: recent }, { seq: newest }],
    })

    await admin.query(`UPDATE api_key_changes SET changed_at = now() - interval '25 hours'`)
    expect(await deleteExpiredApiKeyChanges(pool, 1000)).toBe(1)
    expect(await deleteExpiredApiKeyChanges(pool, 1000)).toBe(0)
    expect(await latestApiKeyChange(pool)).toBe(newest)
  })
})
