import { randomBytes } from 'node:crypto'
import { newTypeId } from '@ariftly/events'
import { createTestDatabase, eventually } from '@ariftly/testkit'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { findApiKeysByHash } from '../api-keys/find-api-keys.ts'
import { insertApiKey } from '../api-keys/api-keys.ts'
import { latestApiKeyChange, readApiKeyChanges } from '../api-keys/api-key-changes.ts'
import { openEpoch } from '../projection/log-epochs.ts'
import type { Queryable } from '../queryable.ts'
import { withTransaction } from '../with-transaction.ts'
import { deletedTenants } from './deleted-tenants.ts'
import { deleteTenantSlice, nextTenantDeletion, revokeTenantKeys, type TenantSlice } from './delete-tenant-slice.ts'
import { deleteTenant, getTenant, listTenants, putTenant, type DeleteTenantOutcome } from './tenants.ts'

const database = await createTestDatabase()
const admin = database.openPool({ owner: true })
/** Of the services' role: it has no right to delete. */
const pool = database.openPool()
let epoch: number

beforeAll(async () => {
  epoch = (await openEpoch(admin, { topic: 'events', clusterId: 'c', topicId: 'test' })).epoch
  await admin.query(
    `INSERT INTO projection_offsets (projection, epoch, topic, partition, next_offset) VALUES ('events', $1, 'events', 0, 0)`,
    [epoch],
  )
})
afterAll(() => database.drop())

const begin = (id: string): Promise<DeleteTenantOutcome> => withTransaction(pool, (tx) => deleteTenant(tx, id))
const slice = (tenant: string, rowsMax = 100): Promise<TenantSlice> =>
  withTransaction(pool, (tx) => deleteTenantSlice(tx, { tenant, rowsMax }))
const revoke = (tenant: string, keysMax = 100): Promise<TenantSlice> =>
  withTransaction(pool, (tx) => revokeTenantKeys(tx, { tenant, keysMax }))

async function insertKey(tenant: string, scopes: readonly string[] = ['events:read']): Promise<Buffer> {
  const hash = randomBytes(32)
  const quota = { eventsPerS: null, bytesPerS: null }
  const rest = { tenant, name: 'test', scopes, quota, expiresAtMs: null, createdAtMs: Date.now() }
  expect(await insertApiKey(pool, { id: newTypeId('key'), hash, ...rest })).toBe(true)
  return hash
}

async function insertEvents(tenant: string, events: number, first = 1): Promise<void> {
  await admin.query(
    `INSERT INTO events (tenant_id, id, type, epoch, partition, "offset", appended_at, data)
     SELECT $1, (left(uuid_v7_floor((extract(epoch FROM now()) * 1000)::bigint)::text, 24) || lpad(n::text, 12, '0'))::uuid,
            'task.created', $2, 0, n, now(), '{}'
       FROM generate_series($4::int, $4::int + $3::int - 1) n`,
    [tenant, epoch, events, first],
  )
}

async function eventsOf(tenant: string): Promise<number> {
  const { rows } = await admin.query<{ count: number }>('SELECT count(*) FROM events WHERE tenant_id = $1', [tenant])
  return rows[0]?.count ?? -1
}

const setState = (tenant: string, state: string) =>
  pool.query('UPDATE tenants SET state = $1 WHERE id = $2', [state, tenant])

async function finish(tenant: string): Promise<void> {
  await eventually('the deletion is finished', async () => (await slice(tenant)).type === 'finished')
}

describe('the deletion of a tenant', () => {
  test('revokes keys, deletes rows a bounded number at a time, changes no other tenant, and the id cannot be used again', async () => {
    const hashes = [await insertKey('gone'), await insertKey('gone', ['platform']), await insertKey('gone')]
    await insertEvents('gone', 250)
    await insertEvents('stays', 10)
    const before = await latestApiKeyChange(pool)
    expect(await begin('gone')).toMatchObject({ type: 'started', tenant: { state: 'deleting', deletedCount: 0 } })
    // Every key has stopped, those with `platform` too; none is revoked yet.
    const { changes } = await readApiKeyChanges(pool, { afterSeq: before })
    expect(changes.map(({ kind }) => kind)).toEqual(['tenant_deleted'])
    for (const record of await findApiKeysByHash(pool, hashes))
      expect(record).toMatchObject({ tenantState: 'deleting', revokedAtMs: null })
    expect(await begin('gone')).toMatchObject({ type: 'running' })
    expect(await nextTenantDeletion(pool)).toEqual({ tenant: 'gone', hasKeys: true })
    expect(await revoke('gone', 2)).toEqual({ type: 'deleted', rows: 2 })
    expect(await nextTenantDeletion(pool)).toEqual({ tenant: 'gone', hasKeys: true })
    expect(await revoke('gone', 2)).toEqual({ type: 'deleted', rows: 1 })
    expect(await nextTenantDeletion(pool)).toEqual({ tenant: 'gone', hasKeys: false })
    const { changes: revoked } = await readApiKeyChanges(pool, { afterSeq: changes.at(-1)?.seq ?? 0 })
    expect(revoked.map(({ kind }) => kind)).toEqual(['tenant_deleted'])
    const rows: unknown[] = []
    for (let n = 0; n < 3; n += 1) rows.push(await slice('gone'))
    expect(rows).toMatchObject([{ rows: 100 }, { rows: 100 }, { rows: 50 }])
    expect(await getTenant(pool, 'gone')).toMatchObject({ state: 'deleting', deletedCount: 253 })
    await finish('gone')
    expect([await eventsOf('gone'), await eventsOf('stays')]).toEqual([0, 10])
    expect(await begin('gone')).toEqual({ type: 'absent' })
    expect(await withTransaction(pool, (tx) => putTenant(tx, 'gone', {}))).toEqual({ type: 'deleted' })
    const key = { id: newTypeId('key'), hash: randomBytes(32), tenant: 'gone', name: 'late', scopes: [] }
    const rest = { quota: { eventsPerS: null, bytesPerS: null }, expiresAtMs: null, createdAtMs: Date.now() }
    expect(await insertApiKey(pool, { ...key, ...rest })).toBe(false)
    expect(await deletedTenants(pool, ['stays', 'gone'])).toEqual(new Set(['gone']))
    expect((await listTenants(pool, { limit: 10 })).map(({ id }) => id)).not.toContain('gone')
    expect((await listTenants(pool, { limit: 10, state: 'deleted' })).map(({ id }) => id)).toEqual(['gone'])
  })

  test('takes an unknown id for a typing error, unless its deletion is forced', async () => {
    expect(await begin('gnoe')).toEqual({ type: 'absent' })
    expect(await getTenant(pool, 'gnoe')).toBeUndefined()
    const forced = await withTransaction(pool, (tx) => deleteTenant(tx, 'gnoe', { evenUnknown: true }))
    expect(forced).toMatchObject({ type: 'started' })
    await finish('gnoe')
    expect(await getTenant(pool, 'gnoe')).toMatchObject({ state: 'deleted' })
  })

  test('waits for transactions that began before it, and deletes the rows that they add', async () => {
    await insertKey('late')
    await insertEvents('late', 150, 1000)
    const writer = await admin.connect()
    await writer.query('BEGIN')
    await writer.query('SELECT pg_current_xact_id()')
    await begin('late')
    await revoke('late')
    expect(await slice('late')).toMatchObject({ rows: 100 })
    expect(await slice('late')).toMatchObject({ rows: 50 })
    expect(await slice('late')).toEqual({ type: 'waiting' })
    await writer.query(
      `INSERT INTO events (tenant_id, id, type, epoch, partition, "offset", appended_at, data)
       VALUES ('late', uuid_v7_floor((extract(epoch FROM now()) * 1000)::bigint - 5000), 'task.created', $1, 0, 1, now(), '{}')`,
      [epoch],
    )
    expect(await slice('late')).toEqual({ type: 'waiting' })
    await writer.query('COMMIT')
    writer.release()
    expect(await eventsOf('late')).toBe(1)
    await finish('late')
    expect(await eventsOf('late')).toBe(0)
  })

  test('one process at a time works on a tenant, and nothing is deleted of a tenant that is not being deleted', async () => {
    await insertKey('alive')
    await insertEvents('alive', 5)
    expect(await slice('alive')).toEqual({ type: 'taken' })
    const { rows } = await pool.query('SELECT delete_tenant_rows($1, 100, true) AS removed', ['alive'])
    expect(rows).toEqual([{ removed: 0 }])
    expect(await eventsOf('alive')).toBe(5)
    await begin('alive')
    await revoke('alive')
    await withTransaction(pool, async (tx) => {
      await deleteTenantSlice(tx, { tenant: 'alive', rowsMax: 1 })
      expect(await slice('alive')).toEqual({ type: 'taken' })
    })
    await finish('alive')
  })

  test('the database refuses any other state of a tenant that is being deleted', async () => {
    await insertKey('held')
    await begin('held')
    await expect(setState('held', 'active')).rejects.toThrow('tenant held is deleting')
    await expect(setState('held', 'deleted')).rejects.toThrow('keys that are not revoked')
    await revoke('held')
    await finish('held')
    await expect(setState('held', 'active')).rejects.toThrow('tenant held is deleted')
    await expect(setState('held', 'deleting')).rejects.toThrow('tenant held is deleted')
  })
})

test('a tenant that is being deleted is refused immediately, also while its row is locked by the deletion', async () => {
  await insertKey('locked')
  await begin('locked')
  await withTransaction(pool, async (tx) => {
    await tx.query(`SELECT FROM tenants WHERE id = 'locked' FOR UPDATE`)
    expect(await withTransaction(pool, (other) => putTenant(other, 'locked', {}))).toEqual({ type: 'deleting' })
    expect(await begin('locked')).toMatchObject({ type: 'running' })
  })
})

test('the deletion of a tenant with 20,000 webhooks begins at once, and marks them 500 at a time', async () => {
  await insertKey('many')
  await admin.query('ALTER TABLE webhooks DISABLE TRIGGER USER')
  await admin.query(
    `INSERT INTO webhooks (id, tenant_id, url, events, secret)
     SELECT gen_random_uuid(), 'many', 'https://example.com/', '{*}', 's' FROM generate_series(1, 20000)`,
  )
  await admin.query('ALTER TABLE webhooks ENABLE TRIGGER USER')
  const begun = withTransaction(pool, async (tx) => {
    await tx.query(`SET LOCAL statement_timeout = '5s'`)
    return await deleteTenant(tx, 'many')
  })
  expect(await begun).toMatchObject({ type: 'started' })
  await revoke('many')
  expect(await slice('many')).toMatchObject({ rows: 500 })
  const { rowCount: marked } = await pool.query(
    `SELECT FROM webhooks WHERE tenant_id = 'many' AND deleted_at IS NOT NULL`,
  )
  expect(marked).toBe(500)
  const plan = await withTransaction(admin, async (tx) => {
    await tx.query('SET LOCAL enable_seqscan = off')
    const next = `SELECT id FROM webhooks WHERE tenant_id = 'many' AND url <> '' ORDER BY tenant_id, id LIMIT 1`
    return (await tx.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${next}`)).rows
  })
  expect(plan.map((line) => line['QUERY PLAN']).join('\n')).toContain('webhooks_with_content')
})

/** How a transaction has used the table of keys: scans of all of it, rows by index, and rows that it wrote. */
async function accessOfKeys(tx: Queryable): Promise<{ scans: number; read: number; written: number }> {
  const { rows } = await tx.query<{ scans: number; read: number; written: number }>(
    `SELECT coalesce(sum(seq_scan), 0)::int AS scans, coalesce(sum(idx_tup_fetch), 0)::int AS read,
            coalesce(sum(n_tup_upd), 0)::int AS written
       FROM pg_stat_xact_user_tables WHERE relname = 'api_keys'`,
  )
  return rows[0] ?? { scans: -1, read: -1, written: -1 }
}

test('the deletion of a tenant with many keys reads and writes each of them once', async () => {
  await admin.query('ALTER TABLE api_keys DISABLE TRIGGER USER')
  await admin.query(
    `INSERT INTO api_keys (id, tenant_id, name, hash, scopes)
     SELECT gen_random_uuid(), 'keys', 'k', sha256(n::text::bytea), '{events:read}' FROM generate_series(1, 4000) n`,
  )
  await admin.query('ALTER TABLE api_keys ENABLE TRIGGER USER')
  await admin.query('ANALYZE api_keys')
  await begin('keys')
  // In one transaction, as then the counts are exact, and the rows of former slices stay in the indexes.
  await withTransaction(pool, async (tx) => {
    const before = await accessOfKeys(tx)
    for (let number = 0; number < 20; number += 1) {
      expect(await revokeTenantKeys(tx, { tenant: 'keys', keysMax: 200 })).toEqual({ type: 'deleted', rows: 200 })
      await nextTenantDeletion(tx)
    }
    const after = await accessOfKeys(tx)
    expect([after.scans - before.scans, after.written - before.written]).toEqual([0, 4000])
    expect(after.read - before.read).toBeLessThan(3 * 4000)
  })
  expect(await revoke('keys')).toEqual({ type: 'deleted', rows: 0 })
  await finish('keys')
  const { rows } = await admin.query(
    `SELECT count(*) FROM api_keys WHERE tenant_id = 'keys' AND (revoked_at IS NULL OR name <> '')`,
  )
  expect([rows, (await getTenant(pool, 'keys'))?.deletedCount]).toEqual([[{ count: 0 }], 4000])
})
