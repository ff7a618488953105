import { expect, test } from '@jest/globals'
import { createTestDatabase, eventually } from '@ariftly/testkit'
import { TenantStreamCounts } from './tenant-stream-counts.ts'

const STREAMS = 5
test('all streams of the first burst of a tenant at a gateway are counted with those elsewhere', async () => {
  const database = await createTestDatabase()
  const pool = database.openPool()
  const log = { warn() {} }
  const one = new TenantStreamCounts({ pool, log, countHere: () => STREAMS })
  expect(await one.elsewhere('acme')).toBe(0)
  const other = new TenantStreamCounts({ pool, log, countHere: () => 0 })
  const burst = await Promise.all(Array.from({ length: 4 }, () => other.elsewhere('acme')))
  expect(burst).toEqual([STREAMS, STREAMS, STREAMS, STREAMS])
  await Promise.all([one.close(), other.close()])
  await database.drop()
})

test('streams that were opened before the tenant had a limit are counted once its limits change', async () => {
  const database = await createTestDatabase()
  const pool = database.openPool()
  const log = { warn() {} }
  const one = new TenantStreamCounts({ pool, log, countHere: (tenant) => (tenant === 'acme' ? STREAMS : 0) })
  const other = new TenantStreamCounts({ pool, log, countHere: () => 0 })
  expect(await other.elsewhere('acme')).toBe(0)
  one.onTenantUpdated('acme')
  one.onTenantUpdated('idle')
  await eventually('the streams are counted', async () => (await other.elsewhere('acme')) === STREAMS)
  const { rows } = await pool.query<{ tenant_id: string }>('SELECT DISTINCT tenant_id FROM open_stream_counts')
  expect(rows).toEqual([{ tenant_id: 'acme' }])
  await Promise.all([one.close(), other.close()])
  await database.drop()
})
