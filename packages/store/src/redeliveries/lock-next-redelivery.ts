import { uuidToTypeId } from '@ariftly/events'
import { prepared } from '../prepared.ts'
import type { Queryable } from '../queryable.ts'
import { REDELIVERY_COLUMNS, toRedeliveryRow, type RedeliveryColumns, type RedeliveryRow } from './redelivery-row.ts'

/** A running redelivery whose row this transaction holds. */
export interface LockedRedelivery extends RedeliveryRow {
  /** The last delivery that was looked at, `dlv_…`; undefined before the first slice. */
  readonly cursorId: string | undefined
}

/** A slice is due; also when it was planned before the clock of Postgres was set back. */
const DUE = `state = 'running' AND (due_at <= now() OR updated_at > clock_timestamp())`

/** Tenants that are tried in turn when others hold their redeliveries. */
const TENANTS_MAX = 20

/** Whether a slice is due, on this worker or another: one look by index redeliveries_due, without a lock. */
export async function anyRedeliveryDue(db: Queryable): Promise<boolean> {
  const { rows } = await db.query<{ any: boolean }>(
    prepared(`SELECT EXISTS (SELECT FROM redeliveries WHERE ${DUE}) AS any`, []),
  )
  return rows[0]?.any === true
}

/**
 * Locks the redelivery whose slice is due of the tenant whose last slice was longest ago, or returns undefined. One that
 * another worker holds is passed over. By indexes redeliveries_due and redeliveries_turns.
 */
export async function lockNextRedelivery(tx: Queryable): Promise<LockedRedelivery | undefined> {
  const { rows } = await tx.query<RedeliveryColumns & { cursor_id: string | null }>(
    `WITH turns AS (
       SELECT id, (SELECT max(t.updated_at) FROM redeliveries t
                    WHERE t.tenant_id = due.tenant_id AND t.updated_at <= clock_timestamp()) AS turn
         FROM (SELECT id, tenant_id, row_number() OVER (PARTITION BY tenant_id ORDER BY due_at, id) AS place
                 FROM redeliveries
                WHERE ${DUE}) due
        WHERE place = 1
        ORDER BY turn NULLS FIRST LIMIT ${TENANTS_MAX})
     SELECT ${REDELIVERY_COLUMNS}, r.cursor_id
       FROM redeliveries r JOIN turns ON turns.id = r.id
      WHERE r.state = 'running'
      ORDER BY turns.turn NULLS FIRST
      LIMIT 1
        FOR UPDATE OF r SKIP LOCKED`,
  )
  const [row] = rows
  if (row === undefined) return undefined
  return { ...toRedeliveryRow(row), cursorId: row.cursor_id === null ? undefined : uuidToTypeId('dlv', row.cursor_id) }
}
