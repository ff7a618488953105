import { afterAll, expect, test } from '@jest/globals'
import { TenantTurns } from '@ariftly/fairness'
import { newEventId, newTypeId, typeIdToUuid } from '@ariftly/events'
import type { LoggedEvent } from '@ariftly/store/events'
import { LIST_SETTINGS } from '@ariftly/store/events'
import { createTestDatabase } from '@ariftly/testkit'
import { renderIncluded } from './included.ts'

const NOW_MS = Date.now()

const database = await createTestDatabase()
const pool = database.openPool({ settings: LIST_SETTINGS })

afterAll(() => database.drop())

function makeEvent(offset: number): LoggedEvent {
  const place = { partition: 0, offset, appendedAtMs: NOW_MS, projectedAtMs: NOW_MS }
  const of = { taskId: 't', sessionId: null, agent: null, data: Buffer.from('{"task_id":"t"}') }
  return { id: newEventId(NOW_MS), type: 'task.created', ...of, ...place }
}

test('deliveries of a page are read in answers of a bounded size, and shown completely', async () => {
  const events = Array.from({ length: 25 }, (_, offset) => makeEvent(offset))
  const ids = events.map(({ id }) => typeIdToUuid('evt', id))
  await pool.query(
    `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, epoch, partition, "offset", due_at)
     SELECT overlay($2::text PLACING substr(gen_random_uuid()::text, 20) FROM 20)::uuid, 'mine', gen_random_uuid(), event,
            'task.created', 1, 0, 0, now()
       FROM unnest($1::uuid[]) WITH ORDINALITY AS e (event, place), generate_series(1, CASE WHEN place = 25 THEN 3 ELSE 101 END)`,
    [ids, typeIdToUuid('dlv', newTypeId('dlv', NOW_MS))],
  )
  const counts: (number | null)[] = []
  const query = pool.query.bind(pool) as (asked: unknown) => Promise<{ readonly rowCount: number | null }>
  const counted = async (asked: unknown) => {
    const answer = await query(asked)
    counts.push(answer.rowCount)
    return answer
  }
  const include = { log: false, place: false, deliveries: true }
  const rendered = await renderIncluded(Object.assign(Object.create(pool), { query: counted }), {
    tenant: 'mine',
    events,
    include,
    turns: new TenantTurns({ concurrencyMax: 10, perTenantMax: 1 }),
  })
  expect(counts).toEqual([1010, 1010, 407])
  const shown = rendered.map((one) => JSON.parse(one.toString()) as { id: string; deliveries: unknown[] })
  expect(shown.map(({ id }) => id)).toEqual(events.map(({ id }) => id))
  expect(shown.map(({ deliveries }) => deliveries.length)).toEqual([...Array<number>(24).fill(100), 3])
  expect(shown[0]).toMatchObject({ deliveries_truncated: true })
})
