import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { typeIdToUuid } from '@ariftly/events'
import { runLongJobs } from '@ariftly/store'
import { ensurePositions, openEpoch } from '@ariftly/store/projection'
import { createTestDatabase, eventually, insertEvents, insertSampleWebhook, sampleRow } from '@ariftly/testkit'
import { matchBacklogJobs } from './match-backlogs.ts'
import { SubscriptionCache } from './subscription-cache.ts'
import { TenantPairs } from './tenant-pairs.ts'

const TOPIC = 'ariftly.events.v1'
/** More than one slice has. */
const EVENTS = 600
const log = { warn() {} }

const database = await createTestDatabase()
const pool = database.openPool({ settings: { statement_timeout: '300' } })
const admin = database.openPool({ owner: true })

beforeAll(async () => {
  await openEpoch(admin, { topic: TOPIC, clusterId: 'test', topicId: 'test' })
  const starts = new Map([[0, 2 * EVENTS]])
  await ensurePositions(admin, { projection: 'events', epoch: 1, topic: TOPIC, starts })
})
afterAll(() => database.drop())

test('the backlog of a tenant that times out again and again delays no other tenant, and continues when it can', async () => {
  const slow = await leaveBacklog('slow', { firstOffset: 0, ageS: 60 })
  const sound = await leaveBacklog('sound', { firstOffset: EVENTS, ageS: 1 })
  await admin.query(
    `CREATE FUNCTION public.wait_long() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(5); RETURN new; END $$`,
  )
  await admin.query(
    `CREATE TRIGGER wait_long BEFORE INSERT ON deliveries FOR EACH ROW WHEN (new.tenant_id = 'slow') EXECUTE FUNCTION public.wait_long()`,
  )
  const matched = new Set<string>()
  const jobs = matchBacklogJobs({
    pool,
    topic: TOPIC,
    subscriptions: new SubscriptionCache(pool),
    tenantPairs: new TenantPairs(),
    isTickOver: () => false,
    onMatched: (webhookIds) => webhookIds.forEach((id) => matched.add(id)),
  })
  const backlogs = runLongJobs(jobs, { log, failing: 'failed' })
  // A slice of each turn takes 0.3 s until it times out, and several are tried.
  await eventually('the sound webhook has all deliveries', async () => (await deliveriesOf(sound)) === EVENTS)
  expect(await deliveriesOf(slow)).toBe(0)
  await admin.query('DROP TRIGGER wait_long ON deliveries')
  await eventually('the slow webhook has all deliveries', async () => (await deliveriesOf(slow)) === EVENTS)
  expect(matched).toEqual(new Set([slow, sound]))
  await backlogs.close()
})

/** Events of a tenant that are left for later, and a webhook that wants them. Its last turn was `ageS` ago. */
async function leaveBacklog(
  tenant: string,
  o: { readonly firstOffset: number; readonly ageS: number },
): Promise<string> {
  const webhookId = await insertSampleWebhook(admin, { tenant })
  await admin.query(`UPDATE webhooks SET created_at = now() - interval '1 h' WHERE id = $1`, [
    typeIdToUuid('whk', webhookId),
  ])
  const appendedAtMs = Date.now()
  await insertEvents(
    admin,
    Array.from({ length: EVENTS }, (_, index) =>
      sampleRow({ tenant, type: 'task.created' as const, offset: o.firstOffset + index, appendedAtMs }),
    ),
  )
  await admin.query(
    `INSERT INTO match_backlogs (epoch, partition, tenant_id, first_offset, next_offset, end_offset, updated_at)
     VALUES (1, 0, $1, $2, $2, $3, now() - $4 * interval '1 s')`,
    [tenant, o.firstOffset, o.firstOffset + EVENTS, o.ageS],
  )
  return webhookId
}

async function deliveriesOf(webhookId: string): Promise<number> {
  const { rows } = await admin.query<{ n: number }>('SELECT count(*)::int AS n FROM deliveries WHERE webhook_id = $1', [
    typeIdToUuid('whk', webhookId),
  ])
  return rows[0]?.n ?? 0
}
