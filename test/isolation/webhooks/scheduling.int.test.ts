import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { typeIdToUuid } from '@ariftly/events'
import { byForm, eventually, startReceiver, type Receiver } from '@ariftly/testkit'
import { createWorkerWorld, type WorkerWorld } from '../../webhooks/worker-world.ts'

const WEBHOOKS = 12
/** Deliveries of one webhook. */
const BACKLOG = byForm({ short: 60_000, long: 2_000_000 })
/** Deliveries of one webhook that a change of it makes due. */
const WAITING = byForm({ short: 10_000, long: 1_000_000 })
/** Of the backlog that one statement writes. */
const ROWS_PER_STATEMENT = 10_000
/** A webhook whose statement fails is paused for up to a minute, and a fifth more. */
const PAUSED_MS_MAX = 100_000

describe('scheduling', () => {
  let fixture: WorkerWorld
  let receiver: Receiver

  beforeAll(async () => {
    fixture = await createWorkerWorld()
    await fixture.startWorker()
  })
  afterAll(() => fixture?.close())
  beforeEach(async () => {
    receiver = await startReceiver()
  })
  afterEach(() => receiver.close())

  test('a webhook whose statement Postgres rejects delays no other, and is served when the cause has ended', async () => {
    const poisoned = await fixture.subscribe({ tenant: 'poisoned', url: receiver.url })
    const others = await Promise.all(
      Array.from({ length: WEBHOOKS }, (_, number) =>
        fixture.subscribe({ tenant: `other-${number % 3}`, url: receiver.url }),
      ),
    )
    await define(`
      CREATE FUNCTION reject() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'rejected'; END $$;
      CREATE TRIGGER poison BEFORE UPDATE ON deliveries FOR EACH ROW
        WHEN (NEW.state = 'queued' AND NEW.webhook_id = '${typeIdToUuid('whk', poisoned)}') EXECUTE FUNCTION reject()`)
    await fixture.post('poisoned', 3)
    for (const tenant of ['other-0', 'other-1', 'other-2']) await fixture.post(tenant, 5)
    await eventually('all others have 5 deliveries', async () => {
      for (const id of others) if ((await fixture.states(id))['delivered'] !== 5) return false
      return true
    })
    // Its events may be matched later than theirs, and none can leave this state.
    await fixture.reaches(poisoned, { pending: 3 })
    await define('DROP TRIGGER poison ON deliveries; DROP FUNCTION reject()')
    await fixture.reaches(poisoned, { delivered: 3 }, { timeoutMs: PAUSED_MS_MAX })
  }, 240_000)

  test(
    'an ordered webhook with a large backlog delays no other',
    async () => {
      const slow = await fixture.subscribe({ tenant: 'large', url: receiver.url, ordering: 'task', rateLimit: 1 })
      const quick = await fixture.subscribe({ tenant: 'small', url: receiver.url })
      await writeBacklog(slow, BACKLOG)
      // The large one is served too: one at a time, as it asked for.
      await eventually('the slow webhook is called', () =>
        receiver.requests.some(({ headers }) => headers['x-ariftly-webhook-id'] === slow),
      )
      await fixture.post('small', 40)
      await fixture.reaches(quick, { delivered: 40 })
      const delivered = (await fixture.states(slow))['delivered'] ?? 0
      expect(delivered).toBeLessThan(BACKLOG / 10)
    },
    120_000 + BACKLOG,
  )

  test('what a changed URL makes due of a large backlog delays no other webhook, and no change of it', async () => {
    const changed = await fixture.subscribe({ tenant: 'large', url: 'http://127.0.0.1:9/' })
    const quick = await fixture.subscribe({ tenant: 'small', url: receiver.url })
    await fixture.world.admin.query('UPDATE webhooks SET enabled = false, disabled_reason = $2 WHERE id <> ALL ($1)', [
      [changed, quick].map((id) => typeIdToUuid('whk', id)),
      'manual',
    ])
    await writeBacklog(changed, WAITING, '1 hour')
    const change = async (url: string): Promise<number> => {
      const startedMs = performance.now()
      await fixture.world.admin.query('UPDATE webhooks SET url = $2 WHERE id = $1', [typeIdToUuid('whk', changed), url])
      return performance.now() - startedMs
    }
    const tookMs = [await change(receiver.url)]
    await receiver.received(1)
    await fixture.post('small', 40)
    await fixture.reaches(quick, { delivered: 40 })
    // It is not finished: all would be sent by then otherwise.
    expect((await fixture.states(changed))['delivered']).toBeLessThan(WAITING)
    for (const path of ['a', 'b', 'c']) tookMs.push(await change(`${receiver.url}/${path}`))
    expect(Math.max(...tookMs)).toBeLessThan(2_000)
  }, 120_000)

  /** Postgres ends one of two that wait for each other: this one, which locks all partitions, or a statement of the worker. */
  async function define(sql: string): Promise<void> {
    await eventually('the statement succeeds', async () => await fixture.world.admin.query(sql))
  }

  /** Deliveries of one posted event's tenant, a hundred a task, as a matcher would have written them over a night. */
  async function writeBacklog(webhookId: string, count: number, dueIn = '0 s'): Promise<void> {
    await fixture.post('large', 1)
    await eventually('there are deliveries', async () => Object.keys(await fixture.states(webhookId)).length > 0)
    for (let from = 0; from < count; from += ROWS_PER_STATEMENT) {
      await fixture.world.admin.query(
        `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, ordering_key, epoch, partition, "offset", due_at)
         SELECT (substr(d.id::text, 1, 15) || substr(gen_random_uuid()::text, 16))::uuid, d.tenant_id, d.webhook_id,
                d.event_id, d.event_type, 'task-' || n / 100, d.epoch, d.partition, 1000 + n, now() + $3::interval
           FROM (SELECT * FROM deliveries WHERE webhook_id = $1 ORDER BY "offset" LIMIT 1) d,
                generate_series($2::int + 1, $2::int + ${ROWS_PER_STATEMENT}) AS n`,
        [typeIdToUuid('whk', webhookId), from, dueIn],
      )
    }
  }
})
