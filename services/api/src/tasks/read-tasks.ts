import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '@ariftly/store'
import {
  listEvents,
  type ListEventsOptions,
  SHOWN_COLUMNS,
  toShownEvent,
  type ShownColumns,
  type ShownEvent,
} from '@ariftly/store/events'

/** Which tasks a page has; `cursorId` is the id of the last page's last `task.created`. */
export interface ListTasksOptions extends Pick<ListEventsOptions, 'tenant' | 'afterMs' | 'beforeMs' | 'cursorId'> {
  /** Of the `task.created`. */
  readonly agent?: string
  /** 1 to 100. */
  readonly limit: number
}

/** A task by its `task.created`. */
export interface ListedTask {
  readonly created: ShownEvent
  /** The task's newest event. */
  readonly last: ShownEvent
}

/** A page ends before `data` would pass this, but for its first task. */
const DATA_BYTES_MAX = 4 * 1024 * 1024

/**
 * A page of a tenant's tasks, the newest `task.created` first, each with its task's newest event. By events_type or events_agent, events_task
 * once a task, and the primary key.
 */
export async function listTasks(
  db: Queryable,
  { agent, ...o }: ListTasksOptions,
): Promise<{ readonly tasks: readonly ListedTask[]; readonly hasMore: boolean }> {
  const filter = { types: ['task.created'] as const, ...(agent === undefined ? {} : { agent }) }
  const { events: created, hasMore } = await listEvents(db, { ...o, filter, order: 'desc' })
  if (created.length === 0) return { tasks: [], hasMore }
  const newest = await findNewest(db, o.tenant, created)
  let bytes = 0
  const fitting = created.filter((event, place) => {
    bytes += event.data.length + (newest.get(event.id)?.bytes ?? 0)
    return place === 0 || bytes <= DATA_BYTES_MAX
  })
  const lastIds = fitting.flatMap(({ id }) => {
    const uuid = newest.get(id)?.uuid
    return uuid === undefined || uuid === typeIdToUuid('evt', id) ? [] : [uuid]
  })
  const last = await readEvents(db, o.tenant, lastIds)
  const tasks = fitting.map((event) => ({ created: event, last: last.get(newest.get(event.id)?.uuid ?? '') ?? event }))
  return { tasks, hasMore: hasMore || fitting.length < created.length }
}

interface Newest {
  readonly uuid: string
  readonly bytes: number
}

/** The newest event of each task, by the id of its `task.created`: older ones need not be looked for. */
async function findNewest(
  db: Queryable,
  tenant: string,
  created: readonly ShownEvent[],
): Promise<ReadonlyMap<string, Newest>> {
  const { rows } = await db.query<Newest & { readonly place: number }>({
    name: 'newest-of-tasks',
    text: `SELECT t.place::int AS place, newest.id AS uuid, newest.data_bytes AS bytes
             FROM unnest($2::text[], $3::uuid[]) WITH ORDINALITY AS t (task_id, created_id, place)
            CROSS JOIN LATERAL (
                  SELECT id, data_bytes FROM events
                   WHERE tenant_id COLLATE "C" = $1 AND task_id = t.task_id
                     AND id >= t.created_id AND (id, type) >= (t.created_id, '')
                   ORDER BY id DESC LIMIT 1) AS newest`,
    values: [tenant, created.map(({ taskId }) => taskId), created.map(({ id }) => typeIdToUuid('evt', id))],
  })
  return new Map(rows.map(({ place, ...newest }) => [created[place - 1]?.id ?? '', newest]))
}

async function readEvents(
  db: Queryable,
  tenant: string,
  uuids: readonly string[],
): Promise<ReadonlyMap<string, ShownEvent>> {
  const { rows } = await db.query<ShownColumns>({
    name: 'events-of-tasks',
    text: `SELECT ${SHOWN_COLUMNS} FROM events WHERE tenant_id = $1 AND id = ANY ($2::uuid[])`,
    values: [tenant, uuids],
  })
  return new Map(rows.map((row) => [row.id, toShownEvent(row)]))
}
