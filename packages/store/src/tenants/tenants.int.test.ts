import { randomBytes } from 'node:crypto'
import { newTypeId } from '@ariftly/events'
import { createTestDatabase } from '@ariftly/testkit'
import { afterAll, describe, expect, test } from '@jest/globals'
import { findApiKeysByHash } from '../api-keys/find-api-keys.ts'
import { insertApiKey } from '../api-keys/api-keys.ts'
import { latestApiKeyChange, readApiKeyChanges } from '../api-keys/api-key-changes.ts'
import { withTransaction } from '../with-transaction.ts'
import { getTenant, listTenants, putTenant, type PutTenantOutcome, type TenantChanges } from './tenants.ts'

const database = await createTestDatabase()
const pool = database.openPool()
const admin = database.openPool({ owner: true })

afterAll(() => database.drop())

function put(id: string, changes: TenantChanges): Promise<PutTenantOutcome> {
  return withTransaction(pool, (tx) => putTenant(tx, id, changes))
}

async function insertKey(tenant: string, scopes: readonly string[]): Promise<{ id: string; hash: Buffer }> {
  const key = { id: newTypeId('key'), hash: randomBytes(32) }
  const quota = { eventsPerS: null, bytesPerS: null }
  const rest = { tenant, name: 'test', scopes, quota, expiresAtMs: null, createdAtMs: Date.now() }
  expect(await insertApiKey(pool, { ...key, ...rest })).toBe(true)
  return key
}

describe('putTenant', () => {
  test('keeps absent members, also one limit without the other, and null clears', async () => {
    const limits = { eventsPerS: 10, streams: 20, webhooks: null, apiKeys: 5 }
    expect(await put('a', { limits: { eventsPerS: 10, streams: 20, apiKeys: 5 } })).toMatchObject({
      type: 'created',
      tenant: { id: 'a', state: 'active', limits },
    })
    expect(await put('a', { state: 'suspended' })).toMatchObject({ type: 'updated', tenant: { limits } })
    expect(await put('a', { limits: { streams: null } })).toMatchObject({
      tenant: { state: 'suspended', limits: { ...limits, streams: null } },
    })
    expect(await getTenant(pool, 'a')).toMatchObject({ state: 'suspended', limits: { ...limits, streams: null } })
    expect(await getTenant(pool, 'never-put')).toBeUndefined()
  })

  test('announces the tenant, and each of its keys for the previous release; all stop but those with the scope platform', async () => {
    const plain = await insertKey('b', ['events:read'])
    const operator = await insertKey('b', ['events:read', 'platform'])
    await insertKey('c', ['events:read'])
    const before = await latestApiKeyChange(pool)
    await put('b', { state: 'suspended' })
    await put('b', { state: 'active' })
    const { changes } = await readApiKeyChanges(pool, { afterSeq: before })
    expect(changes.map(({ keyId, tenant, kind }) => [tenant ?? keyId, kind])).toEqual([
      ['b', 'tenant_suspended'],
      [plain.id, 'suspended'],
      [operator.id, 'updated'],
      ['b', 'tenant_updated'],
      [plain.id, 'updated'],
      [operator.id, 'updated'],
    ])
  })

  test.each([
    [1000, 1001],
    [1001, 1],
  ])('of a tenant with %i keys %i entries are written', async (keys, entries) => {
    const tenant = `many-${keys}`
    await admin.query(
      `INSERT INTO api_keys (id, tenant_id, name, scopes, hash)
       SELECT gen_random_uuid(), $1, 'test', '{events:read}', sha256(convert_to($1 || n, 'UTF8')) FROM generate_series(1, $2) n`,
      [tenant, keys],
    )
    const before = await latestApiKeyChange(pool)
    await put(tenant, { state: 'suspended' })
    const { changes } = await readApiKeyChanges(pool, { afterSeq: before, limit: 2000 })
    expect(changes).toHaveLength(entries)
    expect(changes[0]).toMatchObject({ tenant, kind: 'tenant_suspended' })
  })

  test('a key that is made while its tenant is suspended is announced, or is looked up as suspended', async () => {
    const tx = await pool.connect()
    await tx.query('BEGIN')
    await putTenant(tx, 'd', { state: 'suspended' })
    const before = await latestApiKeyChange(pool)
    // It waits for the other transaction.
    const made = insertKey('d', ['events:read'])
    await tx.query('COMMIT')
    tx.release()
    const { hash } = await made
    expect((await findApiKeysByHash(pool, [hash]))[0]).toMatchObject({ tenantState: 'suspended' })
    expect((await readApiKeyChanges(pool, { afterSeq: before })).changes).toMatchObject([{ tenant: 'd' }])
  })
})

test('listTenants pages newest first', async () => {
  for (const id of ['page-1', 'page-2', 'page-3']) await put(id, {})
  const [first, second] = await listTenants(pool, { limit: 2 })
  expect([first?.id, second?.id]).toEqual(['page-3', 'page-2'])
  const place = { createdAtMs: second?.createdAtMs ?? 0, id: second?.id ?? '' }
  expect((await listTenants(pool, { limit: 1, place })).map(({ id }) => id)).toEqual(['page-1'])
})
