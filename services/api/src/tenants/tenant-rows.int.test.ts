import { randomBytes } from 'node:crypto'
import { newTypeId } from '@ariftly/events'
import { createTestDatabase } from '@ariftly/testkit'
import { afterAll, describe, expect, test } from '@jest/globals'
import { createApiKeyStore, insertApiKey } from '@ariftly/store/api-keys'
import { withTransaction } from '@ariftly/store'
import { getTenant, listTenants, putTenant, type PutTenantOutcome, type TenantChanges } from './tenant-rows.ts'

const database = await createTestDatabase()
const pool = database.openPool()
const keys = createApiKeyStore(pool)

afterAll(() => database.drop())

function put(id: string, changes: TenantChanges): Promise<PutTenantOutcome> {
  return withTransaction(pool, (tx) => putTenant(tx, id, changes))
}

async function insertKey(tenant: string, scopes: readonly string[]): Promise<{ readonly hash: Buffer }> {
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

  test('announces the tenant by one entry, however many keys it has', async () => {
    await insertKey('b', ['events:read'])
    await insertKey('b', ['events:read', 'platform'])
    await insertKey('c', ['events:read'])
    const before = await keys.latestChange()
    await put('b', { state: 'suspended' })
    await put('b', { state: 'active' })
    const { changes } = await keys.changesSince(before)
    expect(changes).toEqual([
      { seq: expect.any(Number), tenant: 'b', kind: 'tenant_suspended' },
      { seq: expect.any(Number), tenant: 'b', kind: 'tenant_updated' },
    ])
  })

  test('a key that is made while its tenant is suspended is announced, or is looked up as suspended', async () => {
    const tx = await pool.connect()
    await tx.query('BEGIN')
    await putTenant(tx, 'd', { state: 'suspended' })
    const before = await keys.latestChange()
    // It waits for the other transaction.
    const made = insertKey('d', ['events:read'])
    await tx.query('COMMIT')
    tx.release()
    const { hash } = await made
    expect((await keys.lookup([hash]))[0]).toMatchObject({ tenantState: 'suspended' })
    expect((await keys.changesSince(before)).changes).toMatchObject([{ tenant: 'd' }])
  })
})

test('listTenants pages newest first', async () => {
  for (const id of ['page-1', 'page-2', 'page-3']) await put(id, {})
  const [first, second] = await listTenants(pool, { limit: 2 })
  expect([first?.id, second?.id]).toEqual(['page-3', 'page-2'])
  const place = { createdAtMs: second?.createdAtMs ?? 0, id: second?.id ?? '' }
  expect((await listTenants(pool, { limit: 1, place })).map(({ id }) => id)).toEqual(['page-1'])
})
