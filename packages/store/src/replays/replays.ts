import { typeIdToUuid, type EventType } from '@ariftly/events'
import { defineRow, plain, tenant, time, timeOrNull, typeId, type RowOf } from '../define-row.ts'
import { idBounds } from '../id-bounds.ts'
import type { Queryable } from '../queryable.ts'
import type { LogPosition } from './find-position.ts'
import { callFunction } from '../prepared.ts'

/** Deliveries that a replay may be limited to. */
export type ReplayDeliveryStatus = 'delivered' | 'failed' | 'cancelled'

const REQUEST = {
  /** TypeID `rpl_…`. */
  id: typeId('rpl'),
  tenant,
  webhookId: typeId('whk'),
  /** Log time in ms, exclusive. */
  afterMs: time({ name: 'after_at' }),
  /** Log time in ms, exclusive. */
  beforeMs: time({ name: 'before_at' }),
  /** Null: all that the webhook takes. */
  types: plain<readonly EventType[] | null>(),
  /** Only events whose delivery has this status; null: missing ones and all that are finished. */
  deliveryStatus: plain<ReplayDeliveryStatus | null>(),
  dryRun: plain<boolean>(),
}

/** Where a replay from a position of a stream begins. */
export interface ReplayStart {
  /** The position as it was given. */
  readonly text: string
  /** The first offset that is replayed of each partition of the epoch; undefined for a position that is lost: it begins at `afterMs`. */
  readonly position: LogPosition | undefined
}

/** The members of a replay, of `webhook_replays r`. */
export const replayRow = defineRow('r', {
  ...REQUEST,
  /** The position of a stream that it was asked to begin at; null: it begins at `afterMs`. */
  from: plain<string | null>({ name: 'from_position' }),
  /** Whether that position was lost, so that it begins at `afterMs`, the earliest event in reach. */
  truncated: plain<boolean>(),
  state: plain<'running' | 'completed' | 'cancelled'>(),
  /** Events of the tenant that were scanned. */
  scannedCount: plain<number>(),
  /** Deliveries that were made pending, or on a dry run would be. */
  deliveryCount: plain<number>(),
  createdAtMs: time(),
  updatedAtMs: time(),
  finishedAtMs: timeOrNull(),
})

/** A replay and how far it is. */
export type ReplayRow = RowOf<typeof replayRow>

/** What a replay was asked for. With `from` it begins there, and `afterMs` is a log time before all that follows. */
export type ReplayRequest = Pick<ReplayRow, keyof typeof REQUEST> & { readonly from?: ReplayStart | undefined }

/**
 * Stores a replay, which the webhook worker then carries out, and returns it as it was written. `under_way` when the webhook has a running one of this kind
 * (real or dry run) already; the unique index webhook_replays_running holds it.
 */
export async function insertReplay(db: Queryable, { from, ...asked }: ReplayRequest): Promise<ReplayRow | 'under_way'> {
  const { position } = from ?? {}
  const truncated = from !== undefined && position === undefined
  const { columns, parameters, values } = replayRow.write({ ...asked, from: from?.text ?? null, truncated }, 3)
  const written = await db.query(
    `INSERT INTO webhook_replays AS r (from_epoch, from_offsets, ${columns}) VALUES ($1, $2, ${parameters})
     ON CONFLICT (webhook_id, dry_run) WHERE state = 'running' DO NOTHING
     RETURNING ${replayRow.columns}`,
    [position?.epoch ?? null, position?.offsets ?? null, ...values],
  )
  return replayRow.readFirst(written) ?? 'under_way'
}

/** One replay of a tenant's webhook, or undefined. `id` and `webhookId` are valid. By primary key. */
export async function getReplay(
  db: Queryable,
  o: { readonly tenant: string; readonly webhookId: string; readonly id: string },
): Promise<ReplayRow | undefined> {
  const found = await db.query(
    `SELECT ${replayRow.columns} FROM webhook_replays r WHERE r.id = $1 AND r.webhook_id = $2 AND r.tenant_id = $3`,
    [typeIdToUuid('rpl', o.id), typeIdToUuid('whk', o.webhookId), o.tenant],
  )
  return replayRow.readFirst(found)
}

/** A page of a webhook's replays, newest first, from below `cursorId`. A range of webhook_replays_webhook, which alone has the order. */
export async function listReplays(
  db: Queryable,
  o: { readonly tenant: string; readonly webhookId: string; readonly cursorId?: string; readonly limit: number },
): Promise<readonly ReplayRow[]> {
  const { high } = idBounds('rpl', { ...o, order: 'desc' })
  const { rows } = await db.query(
    `SELECT ${replayRow.columns} FROM webhook_replays r
      WHERE (r.webhook_id, r.id) < ($1, $3::uuid) AND r.webhook_id >= $1 AND r.tenant_id = $2
      ORDER BY r.webhook_id DESC, r.id DESC LIMIT $4`,
    [typeIdToUuid('whk', o.webhookId), o.tenant, high, o.limit],
  )
  return rows.map(replayRow.read)
}

/**
 * Stops a running replay; false when it does not run (any more). It waits for the slice that is under way, and after its
 * commit no further slice is made: what the replay has made pending is then all there is to cancel (`cancelDeliveries`).
 */
export async function stopReplay(db: Queryable, o: { readonly tenant: string; readonly id: string }): Promise<boolean> {
  const { rowCount } = await db.query(
    `UPDATE webhook_replays SET state = 'cancelled', updated_at = now(), finished_at = now()
      WHERE id = $1 AND tenant_id = $2 AND state = 'running'`,
    [typeIdToUuid('rpl', o.id), o.tenant],
  )
  return rowCount === 1
}

/** Deletes replays that ended longer ago than deliveries are kept, at most `limit`, and answers how many. By primary key, as ids rise with time. */
export async function deleteExpiredReplays(db: Queryable, o: { readonly limit: number }): Promise<number> {
  return await callFunction(db, 'delete_expired_replays', [o.limit])
}
