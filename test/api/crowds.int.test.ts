import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { newEventId, newTypeId, typeIdToUuid } from '@ariftly/events'
import { type World, createWorld, eventually, insertEvents } from '@ariftly/testkit'
import { startApi, type ApiClient } from '../support/api-client.ts'

const TENANTS = ['slow-1', 'slow-2', 'slow-3', 'sent-1', 'sent-2', 'sent-3', 'quick', 'leaving', 'busy'] as const
/** An advisory lock that queries of slow tenants wait for. */
const GATE = 4_712

let world: World
const apis = new Map<string, ApiClient>()

beforeAll(async () => {
  world = await createWorld({ partitions: 1 })
  const nowMs = Date.now()
  const events = TENANTS.map((tenant) => ({ tenant, id: newEventId(nowMs) }))
  await insertEvents(
    world.admin,
    events.map((event, offset) => ({
      ...event,
      type: 'task.created',
      taskId: 't',
      sessionId: null,
      agent: null,
      data: Buffer.from('{"task_id":"t"}'),
      traceparent: null,
      epoch: 1,
      partition: 0,
      offset,
      appendedAtMs: nowMs,
    })),
  )
  for (const { tenant, id } of events) {
    await world.admin.query(
      `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, epoch, partition, "offset", due_at)
       VALUES ($1, $2, gen_random_uuid(), $3, 'task.created', 1, 0, 0, now())`,
      [typeIdToUuid('dlv', newTypeId('dlv', nowMs)), tenant, typeIdToUuid('evt', id)],
    )
  }
  await makeSlow()
  const shared = await startApi(world, '')
  for (const tenant of TENANTS)
    apis.set(tenant, shared.withKey(await world.apiKey(tenant, ['events:read', 'webhooks'])))
  apis.set('', shared)
})
afterAll(async () => {
  await apis.get('')?.close()
  await world?.close()
})

/** Queries of some tenants wait, for the gate or for a while, and are counted. */
async function makeSlow(): Promise<void> {
  await world.admin.query(`
    CREATE SEQUENCE slow_queries;
    CREATE FUNCTION sleep_and_count(seconds float8) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
      PERFORM nextval('slow_queries'), pg_sleep(seconds);
      RETURN true;
    END $$;
    CREATE FUNCTION wait_and_count() RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET lock_timeout = 0 AS $$
    BEGIN
      PERFORM nextval('slow_queries');
      PERFORM pg_advisory_xact_lock_shared(${GATE});
      RETURN true;
    END $$;
    ALTER TABLE events ENABLE ROW LEVEL SECURITY;
    CREATE POLICY slow ON events TO ariftly_app USING (
      CASE WHEN tenant_id LIKE 'slow-%' THEN wait_and_count()
           WHEN tenant_id = 'leaving' THEN sleep_and_count(0.5) ELSE true END);
    ALTER TABLE deliveries ENABLE ROW LEVEL SECURITY;
    CREATE POLICY slow ON deliveries TO ariftly_app USING (
      CASE WHEN tenant_id LIKE 'sent-%' THEN wait_and_count() ELSE true END)`)
}

function apiOf(tenant: (typeof TENANTS)[number]): ApiClient {
  const api = apis.get(tenant)
  if (api === undefined) throw new Error(`no api for ${tenant}`)
  return api
}

async function slowQueries(): Promise<number> {
  const { rows } = await world.admin.query<{ n: number }>(
    'SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS n FROM slow_queries',
  )
  return rows[0]?.n ?? 0
}

describe('a burst of requests', () => {
  test.each([
    { kind: 'events', tenants: ['slow-1', 'slow-2', 'slow-3'], path: '/v1/events', running: 9 },
    {
      kind: 'events with their deliveries',
      tenants: ['sent-1', 'sent-2', 'sent-3'],
      path: '/v1/events?include=deliveries',
      running: 3,
    },
  ] as const)(
    'of slow lists of $kind of three tenants takes no connection from a fourth',
    async ({ tenants, path, running }) => {
      const gate = await world.admin.connect()
      await gate.query('SELECT pg_advisory_lock($1)', [GATE])
      const before = await slowQueries()
      let done = 0
      const slow = tenants.flatMap((tenant) =>
        Array.from({ length: 5 }, async () => {
          const { status } = await apiOf(tenant).call('GET', path)
          done += 1
          return status
        }),
      )
      try {
        await eventually('the slow queries run', async () => (await slowQueries()) >= before + running)
        for (const quick of [
          '/v1/events',
          '/v1/events?include=deliveries',
          '/v1/webhooks',
          '/v1/deliveries?task_id=t',
        ]) {
          expect([quick, (await apiOf('quick').call('GET', quick)).status]).toEqual([quick, 200])
        }
        expect(done).toBe(0)
      } finally {
        await gate.query('SELECT pg_advisory_unlock($1)', [GATE])
        gate.release()
      }
      expect(new Set(await Promise.all(slow))).toEqual(new Set([200]))
    },
  )

  test('whose clients disconnect while they wait makes no query', async () => {
    const before = await slowQueries()
    const leaving = new AbortController()
    const gone = Array.from({ length: 60 }, () =>
      apiOf('leaving')
        .call('GET', '/v1/events', undefined, leaving.signal)
        .then(
          () => 'answered',
          () => 'left',
        ),
    )
    await eventually('5 slow queries run', async () => (await slowQueries()) >= before + 5)
    leaving.abort()
    expect((await Promise.all(gone)).filter((end) => end === 'left').length).toBeGreaterThan(40)
    expect((await apiOf('leaving').call('GET', '/v1/events')).status).toBe(200)
    expect(await slowQueries()).toBeLessThan(before + 30)
  })

  test('of which each makes a webhook gets a hundred, and the next is refused', async () => {
    const body = { url: 'https://example.com/hook', events: ['*'] }
    const create = (): Promise<{ readonly status: number }> => apiOf('busy').call('POST', '/v1/webhooks', body)
    const answers = await Promise.all(Array.from({ length: 100 }, create))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(100)
    expect((await create()).status).toBe(409)
  })
})
