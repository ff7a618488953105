import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import { REPLAY_COLUMNS, toReplayRow, type ReplayColumns, type ReplayRequest, type ReplayRow } from './replay-row.ts'

/**
 * Stores a replay, which the webhook worker then carries out, and returns it as it was written. `under_way` when the webhook has a running one of this kind
 * (real or dry run) already; the unique index webhook_replays_running holds it.
 */
export async function insertReplay(db: Queryable, replay: ReplayRequest): Promise<ReplayRow | 'under_way'> {
  const { rows } = await db.query<ReplayColumns>(
    `INSERT INTO webhook_replays AS r (id, tenant_id, webhook_id, after_at, before_at, types, delivery_status, dry_run)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
     ON CONFLICT (webhook_id, dry_run) WHERE state = 'running' DO NOTHING
     RETURNING ${REPLAY_COLUMNS}`,
    [
      typeIdToUuid('rpl', replay.id),
      replay.tenant,
      typeIdToUuid('whk', replay.webhookId),
      new Date(replay.afterMs),
      new Date(replay.beforeMs),
      replay.types,
      replay.deliveryStatus,
      replay.dryRun,
    ],
  )
  return rows[0] === undefined ? 'under_way' : toReplayRow(rows[0])
}
