import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { newEventId, newTypeId, typeIdToUuid } from '@ariftly/events'
import { byForm, eventually, recordsOf, startReceiver, type Receiver } from '@ariftly/testkit'
import { createWorkerWorld, type WorkerWorld } from '../../webhooks/worker-world.ts'

const WEBHOOKS = 100
/** The long form writes 700,000 deliveries. */
const BURST = byForm({ short: 400, long: 7_000 })
/** 40,000 deliveries, of which a tenant has 300 in 100 ms in a process. */
const SPREAD = 400
/** Of 240 KB. */
const LARGE_EVENTS = 20
const MATCHED_MS_MAX = 60_000 + BURST * 100

function dataOf(taskId: string): Buffer {
  return Buffer.from(`{"task_id":"${taskId}","message":"m"}`)
}

describe('matching', () => {
  let fixture: WorkerWorld
  let receiver: Receiver

  beforeAll(async () => {
    fixture = await createWorkerWorld()
  })
  afterAll(() => fixture?.close())
  beforeEach(async () => {
    receiver = await startReceiver()
  })
  afterEach(() => receiver.close())

  test(
    'a burst for a hundred webhooks of one tenant is matched in parts, and later events of another tenant are matched first',
    async () => {
      const loud: string[] = []
      for (let number = 0; number < WEBHOOKS; number += 1) {
        loud.push(await fixture.subscribe({ tenant: 'loud', url: receiver.url, rateLimit: 1, ordering: 'task' }))
      }
      const quiet = await fixture.subscribe({ tenant: 'quiet', url: receiver.url })
      // All of one task, so in one partition; before a worker is started, so that it reads the burst as a whole.
      const burst = await fixture.post('loud', BURST, 1)
      await fixture.post('quiet', 24)
      await fixture.projected(BURST + 24)
      const worker = await fixture.startWorker()
      await fixture.reaches(quiet, { delivered: 24 })
      await eventually('the burst is matched', async () => (await matched('loud')).count === BURST * WEBHOOKS, {
        timeoutMs: MATCHED_MS_MAX,
      })
      // In the log the whole burst is before the other tenant's events; its matching ends after theirs.
      expect((await matched('quiet')).lastAtMs).toBeLessThan((await matched('loud')).lastAtMs)
      // In the order of the log, across immediate and later matches.
      const [first = ''] = loud
      await eventually('3 requests of the first event', () => requestsOf(first).length >= 3)
      expect(requestsOf(first)).toEqual(burst.slice(0, requestsOf(first).length).map(({ id }) => id))
      await eventually(
        'no backlog is left',
        async () => (await fixture.world.admin.query('SELECT FROM match_backlogs')).rows.length === 0,
      )
      // The tenant's next event is matched immediately again.
      await fixture.append([{ ...(burst[0] as (typeof burst)[0]), id: newEventId(Date.now()) }])
      await eventually('the next event', async () => (await matched('loud')).count === (BURST + 1) * WEBHOOKS)
      await worker.close()
    },
    240_000 + MATCHED_MS_MAX,
  )

  test('a burst over all partitions has no more than the share of its tenant before the events of another', async () => {
    for (let number = 0; number < WEBHOOKS; number += 1) {
      await fixture.subscribe({ tenant: 'spread', url: receiver.url, rateLimit: 1, ordering: 'task' })
    }
    await fixture.subscribe({ tenant: 'hushed', url: receiver.url })
    const { rows: held } = await fixture.world.admin.query<{ n: number }>('SELECT count(*)::int AS n FROM events')
    await fixture.post('spread', SPREAD)
    await fixture.post('hushed', 24)
    await fixture.projected((held[0]?.n ?? 0) + SPREAD + 24)
    const worker = await fixture.startWorker()
    await eventually('24 events are matched', async () => (await matched('hushed')).count === 24)
    const { rows } = await fixture.world.admin.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM deliveries WHERE tenant_id = 'spread'
          AND created_at <= (SELECT max(created_at) FROM deliveries WHERE tenant_id = 'hushed')`,
    )
    expect(rows[0]?.n).toBeLessThan((SPREAD * WEBHOOKS) / 4)
    await worker.close()
  })

  test('a statement writes 5,000 deliveries at most, however many tenants want what it reads', async () => {
    const tenants = Array.from({ length: 60 }, (_, number) => `one-of-many-${number}`)
    for (const tenant of tenants)
      await copyWebhook(await fixture.subscribe({ tenant, url: receiver.url }), WEBHOOKS - 1)
    const [event] = await fixture.post('nobody', 1)
    if (event === undefined) throw new Error('no event')
    const events = tenants.flatMap((tenant) => {
      const tasks = Array.from({ length: 50 }, (_, number) => `task-${number}`)
      const candidates = tasks.map((taskId) => ({
        ...event,
        tenant,
        taskId,
        id: newEventId(Date.now()),
        data: dataOf(taskId),
      }))
      return candidates.filter((candidate) => recordsOf([candidate], 3)[0]?.partition === 0).slice(0, 1)
    })
    const { rows: held } = await fixture.world.admin.query<{ n: number }>('SELECT count(*)::int AS n FROM events')
    await fixture.append(events)
    await fixture.projected((held[0]?.n ?? 0) + events.length)
    const worker = await fixture.startWorker()
    let written: readonly number[] = []
    await eventually('all deliveries are made', async () => {
      // A statement has one time.
      const { rows } = await fixture.world.admin.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM deliveries WHERE tenant_id LIKE 'one-of-many-%' GROUP BY created_at`,
      )
      written = rows.map(({ n }) => n)
      return written.reduce((a, b) => a + b, 0) === tenants.length * WEBHOOKS
    })
    await worker.close()
    expect(Math.max(...written)).toBeLessThanOrEqual(5_000)
  })

  test('large payloads of a tenant with a filter are matched later, a few at a time, and all of them', async () => {
    const filtered = await fixture.subscribe({ tenant: 'large', url: receiver.url })
    await fixture.world.admin.query('UPDATE webhooks SET filter = $2 WHERE id = $1', [
      typeIdToUuid('whk', filtered),
      '{"data.deep":{"$exists":true}}',
    ])
    const events = await fixture.post('large', LARGE_EVENTS, 1)
    const behind = events.map((event) => ({
      ...event,
      id: newEventId(Date.now()),
      // 7 ms of a thread each.
      data: Buffer.from(`{"task_id":"${event.taskId}","message":"m","deep":[${'[],'.repeat(80_000)}0]}`),
    }))
    for (const event of behind) await fixture.append([event])
    const worker = await fixture.startWorker()
    await eventually('all large events are matched', async () => (await matched('large')).count === LARGE_EVENTS)
    await fixture.reaches(filtered, { delivered: LARGE_EVENTS })
    expect(requestsOf(filtered).toSorted()).toEqual(behind.map(({ id }) => id).toSorted())
    await worker.close()
  })

  async function copyWebhook(webhookId: string, count: number): Promise<void> {
    await fixture.world.admin.query(
      `INSERT INTO webhooks (id, tenant_id, url, events, secret)
       SELECT copy, tenant_id, url, events, secret FROM webhooks, unnest($2::uuid[]) AS copy WHERE id = $1`,
      [typeIdToUuid('whk', webhookId), Array.from({ length: count }, () => typeIdToUuid('whk', newTypeId('whk')))],
    )
  }

  function requestsOf(webhookId: string): readonly string[] {
    return receiver.requests
      .filter(({ headers }) => headers['x-ariftly-webhook-id'] === webhookId)
      .map(({ headers }) => String(headers['webhook-id']))
  }

  /** How many deliveries a tenant has, and when the last of them was written. */
  async function matched(tenant: string): Promise<{ readonly count: number; readonly lastAtMs: number }> {
    const { rows } = await fixture.world.admin.query<{ count: number; last: Date | null }>(
      'SELECT count(*)::int, max(created_at) AS last FROM deliveries WHERE tenant_id = $1',
      [tenant],
    )
    return { count: rows[0]?.count ?? 0, lastAtMs: rows[0]?.last?.getTime() ?? 0 }
  }
})
