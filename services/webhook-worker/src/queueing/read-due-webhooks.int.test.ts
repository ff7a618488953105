import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { newTypeId, typeIdToUuid } from '@ariftly/events'
import { createTestDatabase, insertSampleWebhook } from '@ariftly/testkit'
import { readDueWebhooks } from './read-due-webhooks.ts'

/** As the scheduler's connections are: each statement is planned once. */
const SETTINGS = { enable_seqscan: 'off', enable_mergejoin: 'off', plan_cache_mode: 'force_generic_plan' }
/** Pending deliveries of each webhook in turn: fewer and more than a run has. */
const PENDING = [1, 1, 40, 2, 16, 17, 1, 1, 3, 200]
const WEBHOOKS = 60
const DISABLED = 7

const database = await createTestDatabase()
const pool = database.openPool({ max: 1, settings: SETTINGS })
const admin = database.openPool({ owner: true })
let ids: readonly string[]

beforeAll(async () => {
  // Planned while there is nothing, as of a worker that was started on a new database.
  await readDueWebhooks(pool, { runsMax: 1 })
  const made: string[] = []
  for (let index = 0; index < WEBHOOKS; index += 1) {
    const id = await insertSampleWebhook(admin, { tenant: `tenant-${index % 3}` })
    made.push(id)
    await insertPending(id, PENDING[index % PENDING.length] ?? 0)
  }
  ids = made.toSorted()
  const disabled = ids.filter((_, index) => index % DISABLED === 0).map((id) => typeIdToUuid('whk', id))
  await admin.query(`UPDATE webhooks SET enabled = false, disabled_reason = 'manual' WHERE id = ANY ($1)`, [disabled])
})
afterAll(() => database.drop())

async function insertPending(webhookId: string, count: number): Promise<void> {
  await admin.query(
    `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, epoch, partition, "offset", due_at)
     SELECT d.id, w.tenant_id, w.id, d.id, 'task.created', 1, 0, 0, now() + d.n * interval '1 h'
       FROM unnest($2::uuid[]) WITH ORDINALITY AS d (id, n), webhooks w
      WHERE w.id = $1`,
    [typeIdToUuid('whk', webhookId), Array.from({ length: count }, () => typeIdToUuid('dlv', newTypeId('dlv')))],
  )
}

test.each([1, 3, 1000])(
  'finds each enabled webhook once, %i runs at a time, with its first delivery',
  async (runsMax) => {
    const found: string[] = []
    let after: string | undefined
    do {
      const part = await readDueWebhooks(pool, { after, runsMax })
      expect(part.webhooks.length).toBeLessThanOrEqual(runsMax * 16)
      for (const { webhookId, dueInMs } of part.webhooks) {
        found.push(webhookId)
        expect(dueInMs).toBeGreaterThan(0)
        expect(dueInMs).toBeLessThanOrEqual(3_600_000)
      }
      after = part.next
    } while (after !== undefined)
    expect(found.toSorted()).toEqual(ids.filter((_, index) => index % DISABLED !== 0))
  },
)

interface PlanNode {
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly 'Actual Rows'?: number
  readonly 'Actual Loops'?: number
  readonly Plans?: readonly PlanNode[]
}

test('reads a bounded number of rows, by indexes, however many are pending', async () => {
  const statements: { readonly name: string; readonly text: string; readonly values: unknown[] }[] = []
  const capture = {
    query: async (statement: (typeof statements)[number]) => (statements.push(statement), { rows: [] }),
  }
  const runsMax = 2
  await readDueWebhooks(capture as never, { after: ids[0], runsMax })
  const [statement] = statements
  if (statement === undefined) throw new Error('no statement')
  await pool.query(statement)
  const { rows } = await pool.query<{ 'QUERY PLAN': string }>(
    `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) EXECUTE "${statement.name}" ('${String(statement.values[0])}', ${runsMax})`,
  )
  const [plan] = JSON.parse(rows[0]?.['QUERY PLAN'] ?? '[]') as readonly { readonly Plan: PlanNode }[]
  const nodes = flatten(plan?.Plan).filter((node) => node['Relation Name'] !== undefined)
  const indexesOf = (relation: RegExp): ReadonlySet<string | undefined> => {
    const scans = nodes.filter((node) => relation.test(node['Relation Name'] ?? ''))
    return new Set(scans.map((node) => node['Index Name']?.replace(/_p\d+_/, '_')))
  }
  expect(indexesOf(/^webhooks$/)).toEqual(new Set(['webhooks_pkey']))
  expect(indexesOf(/^webhook_endpoints$/)).toEqual(new Set(['webhook_endpoints_pkey']))
  expect(indexesOf(/^deliveries/)).toEqual(new Set(['deliveries_deliveries_due']))
  const ofDeliveries = nodes.filter((node) => node['Relation Name']?.startsWith('deliveries') === true)
  const read = ofDeliveries.reduce((sum, node) => sum + (node['Actual Rows'] ?? 0) * (node['Actual Loops'] ?? 0), 0)
  // Each run reads its rows, and of each weekly partition the row that would be next.
  const partitions = new Set(ofDeliveries.map((node) => node['Relation Name'])).size
  expect(read).toBeLessThanOrEqual(runsMax * (16 + partitions))
})

function flatten(node: PlanNode | undefined): PlanNode[] {
  return node === undefined ? [] : [node, ...(node.Plans ?? []).flatMap(flatten)]
}
