import { afterAll, expect, test } from '@jest/globals'
import { newTypeId, typeIdToUuid } from '@ariftly/events'
import { createTestDatabase } from '@ariftly/testkit'
import { LIST_SETTINGS } from '@ariftly/store/events'
import { attemptsOfDeliveriesQuery, listAttemptsOfDeliveries } from './list-attempts.ts'

const DAY_MS = 86_400_000

const database = await createTestDatabase()
const pool = database.openPool({ max: 1, settings: LIST_SETTINGS })
const admin = database.openPool({ owner: true })

afterAll(() => database.drop())

/** Deliveries of 20 days with as many attempts each. */
async function insert(tenant: string, count: number, attempts: number): Promise<readonly string[]> {
  const ids = Array.from({ length: count }, (_, index) => newTypeId('dlv', Date.now() - (index % 20) * DAY_MS))
  await pool.query(
    `INSERT INTO attempts (delivery_id, attempt, tenant_id, webhook_id, started_at, total_ms, status)
     SELECT id, n, $2, id, now(), n, 500 FROM unnest($1::uuid[]) AS d (id), generate_series(1, $3::int) AS n`,
    [ids.map((id) => typeIdToUuid('dlv', id)), tenant, attempts],
  )
  return ids
}

test('gives the newest attempts of each delivery under its id, and none of another tenant', async () => {
  const ids = await insert('mine', 3, 30)
  const [foreign = ''] = await insert('theirs', 1, 5)
  const without = newTypeId('dlv')
  const o = { tenant: 'mine', deliveryIds: [...ids, foreign, without], limit: 3 }
  const found = await listAttemptsOfDeliveries(pool, o)
  expect([...found.keys()].toSorted()).toEqual(ids.toSorted())
  for (const id of ids) expect(found.get(id)?.map(({ attempt }) => attempt)).toEqual([30, 29, 28])
})

test('reads no more rows than it gives, however many attempts there are', async () => {
  const ids = await insert('mine', 100, 60)
  for (const isAnalyzed of [false, true]) {
    if (isAnalyzed) await admin.query('ANALYZE attempts')
    const { name = '', text, values = [] } = attemptsOfDeliveriesQuery({ tenant: 'mine', deliveryIds: ids, limit: 21 })
    expect((await pool.query({ name, text, values })).rowCount).toBe(2_100)
    const literals = values.map((value) => `'${Array.isArray(value) ? `{${value.join(',')}}` : String(value)}'`)
    const { rows } = await pool.query<{ 'QUERY PLAN': string }>(
      `EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) EXECUTE "${name}" (${literals.join(', ')})`,
    )
    const scans = rows.map((row) => row['QUERY PLAN']).filter((line) => / on attempts_p/.test(line))
    const reading = scans.filter((line) => !line.includes('never executed'))
    expect(reading.length).toBeGreaterThan(0)
    for (const line of reading)
      expect(line).toMatch(/Index Scan Backward using attempts_\w+_pkey on .*rows=21(\.00)? loops=\d+\)/)
    const loops = reading.map((line) => Number(/loops=(\d+)/.exec(line)?.[1]))
    expect(loops.reduce((sum, count) => sum + count, 0)).toBe(100)
  }
})
