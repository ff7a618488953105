import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import { REPLAY_COLUMNS, toReplayRow, type ReplayColumns, type ReplayRow } from './replay-row.ts'

/** One replay of a tenant's webhook, or undefined. `id` and `webhookId` are valid. By primary key. */
export async function getReplay(
  db: Queryable,
  o: { readonly tenant: string; readonly webhookId: string; readonly id: string },
): Promise<ReplayRow | undefined> {
  const { rows } = await db.query<ReplayColumns>(
    `SELECT ${REPLAY_COLUMNS} FROM webhook_replays r WHERE r.id = $1 AND r.webhook_id = $2 AND r.tenant_id = $3`,
    [typeIdToUuid('rpl', o.id), typeIdToUuid('whk', o.webhookId), o.tenant],
  )
  return rows[0] === undefined ? undefined : toReplayRow(rows[0])
}
