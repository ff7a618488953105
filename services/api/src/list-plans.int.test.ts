import { EVENT_TYPES, newEventId, newTypeId, typeIdToUuid, type EventFilter } from '@ariftly/events'
import { createTestDatabase, explaining, rowsRead } from '@ariftly/testkit'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Queryable } from '@ariftly/store'
import { listApiKeys } from '@ariftly/store/api-keys'
import { listAuditEntries } from '@ariftly/store/audit'
import type { DeliveryFilter } from '@ariftly/store/deliveries'
import { LIST_SETTINGS, listEvents } from '@ariftly/store/events'
import { listRedeliveries } from '@ariftly/store/redeliveries'
import { listReplays } from '@ariftly/store/replays'
import { findDeliveries } from './deliveries/find-deliveries.ts'
import { listDeliveriesOfEvents } from './deliveries/list-deliveries-of-events.ts'
import { listTasks } from './tasks/read-tasks.ts'
import { listWebhooks } from './webhooks/list-webhooks.ts'

/** Rows of each table, all of one tenant, type, task, session, agent, webhook and event, so that the statistics know no other. */
const ROWS = 4_000
/** Of one week, so many that the primary key is the cheaper index by its size. */
const EVENTS = 30_000
const DAY_MS = 86_400_000
const SPAN_DAYS = 20

const database = await createTestDatabase()
const owner = database.openPool({ owner: true })
/** As the pools of these lists; the others have no settings, and generic plans are their worst case. */
const listPool = database.openPool({ max: 1, settings: LIST_SETTINGS })
const restPool = database.openPool({ max: 1, settings: { plan_cache_mode: 'force_generic_plan' } })

afterAll(() => database.drop())

const webhookId = newTypeId('whk')
const otherWebhookId = newTypeId('whk')
const eventId = newEventId(Date.now())
const base = { limit: 50, order: 'desc' as const }

/** SQL: an id of so many milliseconds ago. */
const uuid = (agoMs: string): string => `uuid_v7_floor((extract(epoch FROM now()) * 1000)::bigint - ${agoMs})`

beforeAll(async () => {
  await owner.query(
    `INSERT INTO events (tenant_id, id, type, task_id, session_id, agent, epoch, partition, "offset", appended_at, data)
     SELECT 'mine', uuid_v7_floor(week_start_ms($1) + n * 10000), 'task.progress', 'busy', 'busy', 'busy', 1, 0, n, now(), '{}'
       FROM generate_series(1, ${EVENTS}) AS n`,
    [Date.now() - 14 * DAY_MS],
  )
  await owner.query(
    `INSERT INTO events (tenant_id, id, type, task_id, epoch, partition, "offset", appended_at, data)
     VALUES ('mine', $1, 'task.created', 'single', 1, 0, 0, now(), '{}')`,
    [typeIdToUuid('evt', newEventId(Date.now() - 14 * DAY_MS))],
  )
  await owner.query(
    `INSERT INTO log_epochs (epoch, topic, cluster_id, topic_id) VALUES (1, 't', 'c', 'i');
     INSERT INTO projection_offsets (projection, epoch, topic, partition, next_offset) VALUES ('events', 1, 't', 0, ${EVENTS});
     INSERT INTO webhooks (id, tenant_id, url, events, secret)
     SELECT ${uuid('n')}, 'mine', 'https://example.com/', '{*}', '' FROM generate_series(1, ${ROWS}) AS n;
     INSERT INTO audit_entries (id, key_id, tenant_id, action, target, request_id, changes)
     SELECT ${uuid('n')}, gen_random_uuid(), 'mine', 'webhook.update', 'w', 'r', '[]' FROM generate_series(1, ${ROWS}) AS n;
     INSERT INTO redeliveries (id, tenant_id, filter, dry_run, state, finished_at)
     SELECT ${uuid('n')}, 'mine', '{}', true, 'completed', now() FROM generate_series(1, ${ROWS}) AS n;
     INSERT INTO api_keys (id, hash, tenant_id, name, scopes)
     SELECT ${uuid('n')}, sha256(n::text::bytea), 'mine', 'k', '{events:read}' FROM generate_series(1, ${ROWS}) AS n;`,
  )
  await owner.query(
    `INSERT INTO webhooks (id, tenant_id, url, events, secret)
     SELECT id, tenant, 'https://example.com/', '{*}', '' FROM unnest($1::uuid[], ARRAY['mine', 'other']) AS w (id, tenant)`,
    [[webhookId, otherWebhookId].map((id) => typeIdToUuid('whk', id))],
  )
  await owner.query(
    `INSERT INTO webhook_replays (id, tenant_id, webhook_id, after_at, before_at, dry_run, state, finished_at)
     SELECT ${uuid('n')}, 'mine', $1, now(), now(), true, 'completed', now() FROM generate_series(1, ${ROWS}) AS n`,
    [typeIdToUuid('whk', webhookId)],
  )
  await owner.query(
    `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, ordering_key, epoch, partition, "offset", state,
                             due_at, finished_at, created_at)
     SELECT ${uuid(`n * ${(SPAN_DAYS * DAY_MS) / ROWS}`)}, 'mine', $1, $2, 'task.progress', 'busy', 1, 0, n,
            CASE WHEN failed THEN 'failed' ELSE 'pending' END, CASE WHEN NOT failed THEN now() END,
            CASE WHEN failed THEN now() END, now() - n * interval '1 s'
       FROM generate_series(1, ${ROWS}) AS n CROSS JOIN LATERAL (SELECT n % 2 = 0 AS failed) AS states`,
    [typeIdToUuid('whk', webhookId), typeIdToUuid('evt', eventId)],
  )
  const full = ['events', 'deliveries', 'webhooks', 'webhook_replays', 'redeliveries', 'api_keys', 'audit_entries']
  await owner.query(`ANALYZE ${full.join()}`)
})

type List = readonly [name: string, index: RegExp, list: (db: Queryable) => Promise<unknown>]

const events = (name: string, index: RegExp, filter: EventFilter, tenant = 'mine'): List[] =>
  (['desc', 'asc'] as const).map((order) => [
    `events of ${name}, ${order}`,
    index,
    (db) => listEvents(db, { ...base, tenant, order, filter }),
  ])
const deliveries = (name: string, index: RegExp, filter: DeliveryFilter, tenant = 'mine'): List => [
  `deliveries of ${name}`,
  index,
  (db) => findDeliveries(db, { ...base, tenant, filter }),
]
const rare = EVENT_TYPES.filter((type) => type !== 'task.progress').slice(0, 2)

/** Each finds at most one row in the one table that is full. */
const OF_LIST_POOL: readonly List[] = [
  ...events('another tenant', /_pkey$/, {}, 'other'),
  ...events('a type', /_type(_|$)/, { types: rare.slice(0, 1) }),
  ...events('two types', /_type(_|$)/, { types: rare }),
  ...events('a task', /_task(_|$)/, { taskId: 'rare' }),
  ...events('a type of a task', /_task(_|$)/, { taskId: 'rare', types: rare }),
  ...events('a task and a busy session', /_task(_|$)/, { taskId: 'rare', sessionId: 'busy' }),
  ...events('a task and a busy agent', /_task(_|$)/, { taskId: 'rare', agent: 'busy' }),
  ...events('a session', /_session(_|$)/, { sessionId: 'rare' }),
  ...events('a session and a busy agent', /_session(_|$)/, { sessionId: 'rare', agent: 'busy' }),
  ...events('an agent', /_agent(_|$)/, { agent: 'rare' }),
  ...events('a type of a busy agent', /_agent(_|$)/, { agent: 'busy', types: rare }),
  ['tasks', /_task(_|$)/, (db) => listTasks(db, { tenant: 'mine', limit: 50 })],
  ['tasks of an agent', /_agent(_|$)/, (db) => listTasks(db, { tenant: 'mine', agent: 'busy', limit: 50 })],
  deliveries('another tenant', /tenant_created/, { afterMs: 0 }, 'other'),
  deliveries('a webhook', /webhook_created/, { webhookId: otherWebhookId }),
  deliveries('a failing webhook', /webhook_failed/, { webhookId: otherWebhookId, status: 'failed' }),
  deliveries('failed ones of another tenant', /tenant_failed/, { status: 'failed' }, 'other'),
  deliveries('a task', /_task$/, { taskId: 'rare' }),
  deliveries('a task at a busy webhook', /_task$/, { taskId: 'rare', webhookId }),
  deliveries('an event', /_event$/, { eventId: newEventId(0) }),
  deliveries('an event at a busy webhook', /_event$/, { eventId: newEventId(0), webhookId, status: 'failed' }),
  [
    'deliveries of some events',
    /_event$/,
    (db) => listDeliveriesOfEvents(db, { tenant: 'mine', limit: 5, events: [{ id: newEventId(0), appendedAtMs: 0 }] }),
  ],
]

const OF_OTHER_POOLS: readonly List[] = [
  ['webhooks', /webhooks_tenant|deliveries_unfinished/, (db) => listWebhooks(db, { tenant: 'other', limit: 50 })],
  ['replays', /_webhook$/, (db) => listReplays(db, { tenant: 'mine', webhookId: otherWebhookId, limit: 50 })],
  ['redeliveries', /_listed$/, (db) => listRedeliveries(db, { tenant: 'other', limit: 50 })],
  ['API keys', /_tenant$/, (db) => listApiKeys(db, { tenant: 'other', limit: 50 })],
  ['audit entries', /_tenant$/, (db) => listAuditEntries(db, { tenant: 'other', limit: 50 })],
  [
    'entries of an action',
    /_action$/,
    (db) => listAuditEntries(db, { tenant: 'mine', action: 'api_key.revoke', limit: 50 }),
  ],
]

describe.each([
  ['with the settings of lists', listPool, OF_LIST_POOL],
  ['without settings', restPool, OF_OTHER_POOLS],
])('where statistics know one tenant, type, task, session, agent, webhook and event, %s,', (_name, pool, lists) => {
  test.each(lists)('the list of %s reads by its index, and no row of others', async (_list, index, list) => {
    const { db, scans } = explaining(pool)
    await list(db)
    expect(scans.filter((node) => rowsRead(node) > 2)).toEqual([])
    const names = scans.flatMap((node) => node['Index Name'] ?? [])
    expect(names.filter((name) => index.test(name)).length).toBeGreaterThan(0)
  })
})
