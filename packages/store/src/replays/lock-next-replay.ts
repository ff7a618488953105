import { uuidToTypeId } from '@ariftly/events'
import { ifPast } from '../if-past.ts'
import type { Queryable } from '../queryable.ts'
import { REPLAY_COLUMNS, toReplayRow, type ReplayColumns, type ReplayRow } from './replay-row.ts'
import type { Subscription } from '../deliveries/read-subscriptions.ts'

/** A place in the log as `events` holds it. */
export interface ReplayCursor {
  readonly epoch: number
  readonly partition: number
  readonly offset: number
}

/** A running replay whose row this transaction holds. */
export interface LockedReplay extends ReplayRow {
  /** The next place to look at; undefined before the first slice. */
  readonly cursor: ReplayCursor | undefined
  readonly webhook: Pick<Subscription, 'id' | 'events' | 'taskId' | 'sessionId' | 'agent' | 'filter'>
  readonly webhookDeleted: boolean
}

interface Columns extends ReplayColumns {
  readonly epoch: number | null
  readonly partition: number | null
  readonly next_offset: number | null
  readonly events: string[]
  readonly task_id: string | null
  readonly session_id: string | null
  readonly agent: string | null
  readonly filter: string | null
  readonly deleted: boolean
}

/**
 * Locks the next running replay, or returns undefined: tenants take turns, and of a tenant's replays the one whose last slice
 * was longest ago is next. Skipped are those that another worker holds, and real ones whose webhook has `waitingMax`
 * deliveries or more that are due already. To count these is costly, so 20 replays are judged at most: if none of them may go,
 * they have had their turn, and a further call judges the next ones. By indexes webhook_replays_running and deliveries_due.
 */
export async function lockNextReplay(
  tx: Queryable,
  o: { readonly waitingMax: number },
): Promise<LockedReplay | undefined> {
  const { rows } = await tx.query<Columns>(
    `WITH turns AS (
       SELECT tenant_id, max(${ifPast('updated_at')}) AS last_turn FROM webhook_replays WHERE state = 'running' GROUP BY tenant_id),
     inturn AS MATERIALIZED (
       SELECT r.id, r.webhook_id, r.dry_run,
              row_number() OVER (ORDER BY t.last_turn NULLS FIRST, ${ifPast('r.updated_at')} NULLS FIRST, r.id) AS place
         FROM webhook_replays r JOIN turns t USING (tenant_id)
        WHERE r.state = 'running'
        ORDER BY place
        LIMIT ${JUDGED_MAX}),
     candidate AS MATERIALIZED (
       SELECT inturn.id, inturn.place
         FROM inturn
        WHERE inturn.dry_run
           OR EXISTS (SELECT FROM webhooks w WHERE w.id = inturn.webhook_id AND w.deleted_at IS NOT NULL)
           OR NOT EXISTS (SELECT FROM deliveries d
                           WHERE d.webhook_id = inturn.webhook_id AND d.state = 'pending' AND d.due_at <= now()
                          OFFSET $1 - 1)),
     passed AS (
       UPDATE webhook_replays SET updated_at = clock_timestamp()
        WHERE id IN (SELECT id FROM webhook_replays WHERE id IN (SELECT id FROM inturn) FOR UPDATE SKIP LOCKED)
          AND NOT EXISTS (SELECT FROM candidate))
     SELECT ${REPLAY_COLUMNS}, r.epoch, r.partition, r.next_offset,
            w.events, w.task_id, w.session_id, w.agent, w.filter, w.deleted_at IS NOT NULL AS deleted
       FROM candidate c
       JOIN webhook_replays r ON r.id = c.id
       JOIN webhooks w ON w.id = r.webhook_id
      WHERE r.state = 'running'
      ORDER BY c.place
      LIMIT 1
        FOR UPDATE OF r SKIP LOCKED`,
    [o.waitingMax],
  )
  const [row] = rows
  if (row === undefined) return undefined
  const { epoch, partition, next_offset: offset } = row
  return {
    ...toReplayRow(row),
    cursor: epoch === null || partition === null || offset === null ? undefined : { epoch, partition, offset },
    webhook: {
      id: uuidToTypeId('whk', row.webhook_id),
      events: row.events,
      taskId: row.task_id,
      sessionId: row.session_id,
      agent: row.agent,
      filter: row.filter,
    },
    webhookDeleted: row.deleted,
  }
}

/** More than there are workers that hold one. */
const JUDGED_MAX = 20
