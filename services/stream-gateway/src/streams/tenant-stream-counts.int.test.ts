import { expect, test } from '@jest/globals'
import { createTestDatabase } from '@ariftly/testkit'
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
