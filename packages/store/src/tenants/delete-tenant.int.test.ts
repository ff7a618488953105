import { randomBytes } from 'node:crypto'
import { newTypeId } from '@ariftly/events'
import { createTestDatabase, eventually } from '@ariftly/testkit'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { findApiKeysByHash } from '../api-keys/find-api-keys-by-hash.ts'
import { insertApiKey } from '../api-keys/insert-api-key.ts'
import { openEpoch } from '../projection/open-epoch.ts'
import { withTransaction } from '../with-transaction.ts'
import { deleteTenantSlice, type TenantSlice } from './delete-tenant-slice.ts'
import { deleteTenant, type DeleteTenantOutcome } from './delete-tenant.ts'
import { finishTenantDeletion } from './finish-tenant-deletion.ts'
import { getTenant } from './get-tenant.ts'
import { putTenant } from './put-tenant.ts'
import { recordTenantLogEnds } from './record-tenant-log-ends.ts'

const database = await createTestDatabase()
const admin = database.openPool({ owner: true })
/** Of the services' role: it has no right to delete. */
const pool = database.openPool()
let epoch: number

beforeAll(async () => {
  epoch = (await openEpoch(admin, { topic: 'events', clusterId: 'c' })).epoch
})
afterAll(() => database.drop())

const begin = (id: string): Promise<DeleteTenantOutcome> => withTransaction(pool, (tx) => deleteTenant(tx, id))
const slice = (tenant: string, rowsMax: number): Promise<TenantSlice> =>
  withTransaction(pool, (tx) => deleteTenantSlice(tx, { tenant, rowsMax }))
const recordEnds = (tenant: string, readBefore: number): Promise<void> =>
  withTransaction(pool, (tx) => recordTenantLogEnds(tx, { tenant, epoch, ends: new Map([[0, 1000]]), readBefore }))

async function insertKey(tenant: string): Promise<Buffer> {
  const hash = randomBytes(32)
  const quota = { eventsPerS: null, bytesPerS: null }
  const rest = { tenant, name: 'test', scopes: ['events:read'], quota, expiresAtMs: null, createdAtMs: Date.now() }
  expect(await insertApiKey(pool, { id: newTypeId('key'), hash, ...rest })).toBe(true)
  return hash
}

async function insertEvents(tenant: string, events: number): Promise<void> {
  await admin.query(
    `INSERT INTO events (tenant_id, id, type, epoch, partition, "offset", appended_at, data)
     SELECT $1, (left(uuid_v7_floor((extract(epoch FROM now()) * 1000)::bigint)::text, 24) || lpad(n::text, 12, '0'))::uuid,
            'task.created', $2, 0, n, now(), '{}'
       FROM generate_series(1, $3::int) n`,
    [tenant, epoch, events],
  )
}

async function eventsOf(tenant: string): Promise<number> {
  const { rows } = await admin.query<{ count: number }>('SELECT count(*) FROM events WHERE tenant_id = $1', [tenant])
  return rows[0]?.count ?? -1
}

describe('the deletion of a tenant', () => {
  test('revokes its keys at once, deletes in slices of bounded size, and touches no other tenant', async () => {
    const hash = await insertKey('gone')
    await insertEvents('gone', 250)
    await insertEvents('stays', 10)
    expect(await begin('gone')).toMatchObject({ type: 'started', tenant: { state: 'deleting', deletedCount: 0 } })
    expect((await findApiKeysByHash(pool, [hash]))[0]).toMatchObject({
      tenantState: 'deleting',
      revokedAtMs: expect.any(Number),
    })
    expect(await begin('gone')).toMatchObject({ type: 'running' })
    // Before the ends of the log are recorded its records might come back.
    expect(await slice('gone', 100)).toMatchObject({ rows: 0 })
    await recordEnds('gone', 0)
    const rows: unknown[] = []
    for (let n = 0; n < 4; n += 1) rows.push(await slice('gone', 100))
    // Three of events; the key is the last.
    expect(rows).toMatchObject([{ rows: 100 }, { rows: 100 }, { rows: 50 }, { rows: 1 }])
    expect(await getTenant(pool, 'gone')).toMatchObject({ state: 'deleting', deletedCount: 251 })
    await eventually(async () => {
      const last = await slice('gone', 100)
      return last.type === 'deleted' && last.rows === 0 && last.settled
    })
    expect([await eventsOf('gone'), await eventsOf('stays')]).toEqual([0, 10])
    expect(await withTransaction(pool, (tx) => finishTenantDeletion(tx, 'gone'))).toBe(true)
    expect(await begin('gone')).toEqual({ type: 'absent' })
    const put = await withTransaction(pool, (tx) => putTenant(tx, 'gone', {}))
    expect(put).toMatchObject({ type: 'created', tenant: { state: 'active', deletedCount: 0 } })
  })

  test('is not settled while a transaction is open that may write without knowing of it', async () => {
    const writer = await pool.connect()
    await writer.query('BEGIN')
    await writer.query('SELECT pg_current_xact_id()')
    await begin('late')
    await recordEnds('late', 0)
    expect(await slice('late', 100)).toEqual({ type: 'deleted', rows: 0, settled: false })
    await writer.query('COMMIT')
    writer.release()
    await eventually(async () => {
      const next = await slice('late', 100)
      return next.type === 'deleted' && next.settled
    })
  })

  test('one process at a time works on a tenant, and nothing is deleted of a tenant that is not being deleted', async () => {
    await insertEvents('alive', 5)
    expect(await slice('alive', 100)).toEqual({ type: 'taken' })
    const { rows } = await pool.query('SELECT delete_tenant_slice($1, 100) AS removed', ['alive'])
    expect(rows).toEqual([{ removed: 0 }])
    expect(await eventsOf('alive')).toBe(5)
    await begin('alive')
    await recordEnds('alive', 0)
    await withTransaction(pool, async (tx) => {
      await deleteTenantSlice(tx, { tenant: 'alive', rowsMax: 1 })
      expect(await slice('alive', 100)).toEqual({ type: 'taken' })
    })
  })

  test('records the ends of the log once for each reading, and never lowers them', async () => {
    await begin('ends')
    await recordEnds('ends', 0)
    await recordEnds('ends', 0)
    const lower = {
      tenant: 'ends',
      epoch,
      ends: new Map([
        [0, 5],
        [1, 7],
      ]),
      readBefore: 1,
    }
    await withTransaction(pool, (tx) => recordTenantLogEnds(tx, lower))
    const { rows } = await admin.query(
      `SELECT partition, end_offset FROM tenant_log_ends WHERE tenant_id = 'ends' ORDER BY partition`,
    )
    expect(rows).toEqual([
      { partition: 0, end_offset: 1000 },
      { partition: 1, end_offset: 7 },
    ])
  })
})
