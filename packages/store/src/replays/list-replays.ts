import { typeIdToUuid } from '@ariftly/events'
import { idBounds } from '../id-bounds.ts'
import type { Queryable } from '../queryable.ts'
import { REPLAY_COLUMNS, toReplayRow, type ReplayColumns, type ReplayRow } from './replay-row.ts'

/** A page of a webhook's replays, newest first, from below `cursorId`. A range of webhook_replays_webhook. */
export async function listReplays(
  db: Queryable,
  o: { readonly tenant: string; readonly webhookId: string; readonly cursorId?: string; readonly limit: number },
): Promise<{ readonly replays: readonly ReplayRow[]; readonly hasMore: boolean }> {
  const { high } = idBounds('rpl', { ...o, order: 'desc' })
  const { rows } = await db.query<ReplayColumns>(
    `SELECT ${REPLAY_COLUMNS} FROM webhook_replays r
      WHERE r.webhook_id = $1 AND r.tenant_id = $2 AND r.id < $3 ORDER BY r.id DESC LIMIT $4`,
    [typeIdToUuid('whk', o.webhookId), o.tenant, high, o.limit + 1],
  )
  return { replays: rows.slice(0, o.limit).map(toReplayRow), hasMore: rows.length > o.limit }
}
