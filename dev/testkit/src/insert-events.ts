import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '@ariftly/store'
import type { ProjectedEvent } from './sample-event.ts'

/** Inserts rows of the projection; a (tenant, id) that is there is left as it is. Positions are the caller's. */
export async function insertEvents(db: Queryable, rows: readonly ProjectedEvent[]): Promise<void> {
  const column = <T>(of: (row: ProjectedEvent) => T): T[] => rows.map(of)
  await db.query(
    `INSERT INTO events (tenant_id, id, type, task_id, agent, session_id, epoch, partition, "offset", appended_at, data)
     SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[], $8::int[],
                          $9::bigint[], $10::timestamptz[], $11::json[])
     ON CONFLICT DO NOTHING`,
    [
      column(({ tenant }) => tenant),
      column(({ id }) => typeIdToUuid('evt', id)),
      column(({ type }) => type),
      column(({ taskId }) => taskId),
      column(({ agent }) => agent),
      column(({ sessionId }) => sessionId),
      column(({ epoch }) => epoch),
      column(({ partition }) => partition),
      column(({ offset }) => offset),
      column(({ appendedAtMs }) => new Date(appendedAtMs)),
      column(({ data }) => data.toString()),
    ],
  )
}

/** Inserts the times at which records of an epoch were appended. */
export async function insertLogTimes(
  db: Queryable,
  o: {
    readonly epoch: number
    readonly times: readonly Pick<ProjectedEvent, 'partition' | 'offset' | 'appendedAtMs'>[]
  },
): Promise<void> {
  await db.query(
    `INSERT INTO log_times (epoch, partition, "offset", appended_at)
     SELECT $1, * FROM unnest($2::int[], $3::bigint[], $4::timestamptz[]) ON CONFLICT DO NOTHING`,
    [
      o.epoch,
      o.times.map(({ partition }) => partition),
      o.times.map(({ offset }) => offset),
      o.times.map(({ appendedAtMs }) => new Date(appendedAtMs)),
    ],
  )
}
