import { afterAll, expect, test } from '@jest/globals'
import { openEpoch } from '@ariftly/store/projection'
import { createTestDatabase, eventually } from '@ariftly/testkit'
import { startTenantDeletions } from './tenant-deletions.ts'

const database = await createTestDatabase()
const pool = database.openPool()
const admin = database.openPool({ owner: true })
afterAll(() => database.drop())

test('a deletion that fails again and again does not delay those of other tenants, and continues when it can', async () => {
  await openEpoch(admin, { topic: 'events', clusterId: 'test', topicId: 'test' })
  await admin.query(
    `CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$`,
  )
  await admin.query(
    `CREATE TRIGGER refuse BEFORE DELETE ON events FOR EACH ROW WHEN (old.tenant_id = 'stuck') EXECUTE FUNCTION public.refuse()`,
  )
  for (const tenant of ['stuck', 'fine']) {
    await admin.query(
      `INSERT INTO events (tenant_id, id, type, epoch, partition, "offset", appended_at, data)
       VALUES ($1, uuid_v7_floor((extract(epoch FROM now()) * 1000)::bigint), 'task.created', 1, 0, 1, now(), '{}')`,
      [tenant],
    )
    await admin.query(`INSERT INTO tenants (id, state, refused_at) VALUES ($1, 'deleting', now())`, [tenant])
  }
  const stateOf = async (tenant: string) =>
    (await pool.query<{ state: string }>('SELECT state FROM tenants WHERE id = $1', [tenant])).rows[0]?.state
  const close = startTenantDeletions({ pool, log: { info() {}, warn() {} } })
  try {
    await eventually('tenant fine is deleted', async () => (await stateOf('fine')) === 'deleted')
    expect(await stateOf('stuck')).toBe('deleting')
    await admin.query('DROP TRIGGER refuse ON events')
    await eventually('tenant stuck is deleted', async () => (await stateOf('stuck')) === 'deleted')
  } finally {
    await close()
  }
})
