import { afterAll, expect, test } from '@jest/globals'
import { newEventId, newTypeId, typeIdToUuid } from '@ariftly/events'
import { runLongJobs } from '@ariftly/store'
import { LIST_SETTINGS } from '@ariftly/store/events'
import { getRedelivery, insertRedelivery } from '@ariftly/store/redeliveries'
import { createTestDatabase, eventually, insertSampleWebhook } from '@ariftly/testkit'
import { redeliveryJobs } from './redelivery-slice.ts'

const tenant = 'mine'
/** Three slices, and one that finds no more. */
const DELIVERIES = 3_000

const database = await createTestDatabase()
const pool = database.openPool({ settings: LIST_SETTINGS })
afterAll(() => database.drop())

test('a redelivery pauses for three times as long as its statements take', async () => {
  const webhookId = await insertSampleWebhook(pool, { tenant })
  await pool.query(
    `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, ordering_key, epoch, partition, "offset", state,
                             finished_at, created_at, attempt, attempt_count, last_attempt_at, last_error_class)
     SELECT id, $1, $2, id, 'task.progress', 'task', 1, 0, n, 'failed', now(), now(), 13, 13, now(), 'timeout'
       FROM unnest($3::uuid[]) WITH ORDINALITY AS e (id, n)`,
    [tenant, typeIdToUuid('whk', webhookId), eventIds(DELIVERIES)],
  )
  const id = newTypeId('rdl')
  const filter = JSON.stringify({ webhook_id: webhookId, status: 'failed' })
  await insertRedelivery(pool, { id, tenant, filter, dryRun: true })
  const own = database.openPool({ settings: LIST_SETTINGS, max: 1 })
  const busy = watchBusy(own)
  const startedMs = performance.now()
  const running = runLongJobs(redeliveryJobs({ pool: own, onRedelivered() {} }), {
    log: { warn() {} },
    failing: 'failed',
  })
  await eventually('its completion', async () => (await getRedelivery(pool, { tenant, id }))?.state === 'completed')
  const tookMs = performance.now() - startedMs
  await running.close()
  expect(await getRedelivery(pool, { tenant, id })).toMatchObject({ deliveryCount: DELIVERIES })
  // The last slice may have been seen before its rest.
  const spentMs = busy.slice(0, -2).reduce((sum, ms) => sum + ms, 0)
  expect(tookMs).toBeGreaterThan(3 * spentMs)
})

function eventIds(count: number): readonly string[] {
  return Array.from({ length: count }, () => typeIdToUuid('evt', newEventId(Date.now())))
}

/** For how long each use of a connection took, ms. */
function watchBusy(watched: typeof pool): readonly number[] {
  const uses: number[] = []
  let sinceMs = 0
  watched.on('acquire', () => {
    sinceMs = performance.now()
  })
  watched.on('release', () => uses.push(performance.now() - sinceMs))
  return uses
}
