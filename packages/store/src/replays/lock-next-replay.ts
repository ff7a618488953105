import { uuidToTypeId } from '@ariftly/events'
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
  /** Deliveries of the webhook that are due and wait, counted up to `waitingMax`. */
  readonly waiting: number
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
  readonly waiting: number
}

/**
 * Locks the running replay whose last slice was longest ago, or answers undefined. One that another worker holds is passed
 * over. By indexes webhook_replays_running and deliveries_due.
 */
export async function lockNextReplay(
  tx: Queryable,
  o: { readonly waitingMax: number },
): Promise<LockedReplay | undefined> {
  const { rows } = await tx.query<Columns>(
    `SELECT ${REPLAY_COLUMNS}, r.epoch, r.partition, r.next_offset,
            w.events, w.task_id, w.session_id, w.agent, w.filter, w.deleted_at IS NOT NULL AS deleted,
            (SELECT count(*)::int FROM (
               SELECT FROM deliveries d
                WHERE d.webhook_id = r.webhook_id AND d.state = 'pending' AND d.due_at <= now() LIMIT $1) due) AS waiting
       FROM webhook_replays r
       JOIN webhooks w ON w.id = r.webhook_id
      WHERE r.state = 'running'
      ORDER BY r.updated_at, r.id
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
    waiting: row.waiting,
  }
}
