import { typeIdToUuid } from '@ariftly/events'
import { defineRow, exists, type Queryable } from '@ariftly/store'
import { ifPast } from '../matching/if-past.ts'
import { replayRow, type ReplayRow } from '@ariftly/store/replays'
import { SUBSCRIPTION_FILTER, type Subscription } from '../matching/read-subscriptions.ts'

/** A place in the log as `events` holds it. */
export interface ReplayCursor {
  readonly epoch: number
  readonly partition: number
  readonly offset: number
}

/** A running replay whose row this transaction holds. */
export interface LockedReplay extends ReplayRow {
  /** The next offset to read; undefined before the first slice. */
  readonly cursor: ReplayCursor | undefined
  /** The epoch of the position at which the replay begins; undefined when it begins at a time. */
  readonly fromEpoch: number | undefined
  readonly webhook: Omit<Subscription, 'tenant' | 'createdAtMs'>
  readonly webhookDeleted: boolean
}

/** The webhook of a replay, `webhooks w`. */
const webhookRow = defineRow('w', SUBSCRIPTION_FILTER)

interface CursorColumns {
  readonly epoch: number | null
  readonly partition: number | null
  readonly next_offset: number | null
  readonly from_epoch: number | null
  readonly deleted: boolean
}

/**
 * Locks the next running replay, or returns undefined: tenants take turns, and of a tenant's replays the one whose last slice
 * was longest ago is next. Skipped are replays that another worker holds, and real ones whose webhook has `waitingMax`
 * deliveries or more that are due already. To count these is costly, so 20 replays are checked at most: if none of them may run,
 * they have had their turn, and a further call checks the next ones. By indexes webhook_replays_running and deliveries_due.
 */
export async function lockNextReplay(
  tx: Queryable,
  o: { readonly waitingMax: number },
): Promise<LockedReplay | undefined> {
  const { rows } = await tx.query<CursorColumns>(
    `WITH turns AS (
       SELECT tenant_id, max(${ifPast('updated_at')}) AS last_turn FROM webhook_replays WHERE state = 'running' GROUP BY tenant_id),
     inturn AS MATERIALIZED (
       SELECT r.id, r.webhook_id, r.dry_run,
              row_number() OVER (ORDER BY t.last_turn NULLS FIRST, ${ifPast('r.updated_at')} NULLS FIRST, r.id) AS place
         FROM webhook_replays r JOIN turns t USING (tenant_id)
        WHERE r.state = 'running'
        ORDER BY place
        LIMIT ${CHECKED_MAX}),
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
     SELECT ${replayRow.columns}, r.epoch, r.partition, r.next_offset, r.from_epoch,
            ${webhookRow.columns}, w.deleted_at IS NOT NULL AS deleted
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
  const replay = replayRow.read(row)
  return {
    ...replay,
    cursor: epoch === null || partition === null || offset === null ? undefined : { epoch, partition, offset },
    fromEpoch: row.from_epoch ?? undefined,
    webhook: { id: replay.webhookId, ...webhookRow.read(row) },
    webhookDeleted: row.deleted,
  }
}

/** More than there are workers that hold one. */
const CHECKED_MAX = 20

/** Whether a replay has slices left to make, by this worker or another. By index webhook_replays_running. */
export const anyReplayRuns = exists(`webhook_replays WHERE state = 'running'`)

/** The result of a slice. */
export interface ReplayAdvance {
  readonly id: string
  /** Where the next slice begins, or how the replay has ended. */
  readonly next: ReplayCursor | 'completed' | 'cancelled'
  readonly scanned: number
  readonly deliveries: number
}

/** Moves a replay whose row this transaction holds on, or ends it. By primary key. */
export async function advanceReplay(tx: Queryable, o: ReplayAdvance): Promise<void> {
  const cursor = typeof o.next === 'string' ? undefined : o.next
  await tx.query(
    `UPDATE webhook_replays
        SET epoch = $2, partition = $3, next_offset = $4, scanned_count = scanned_count + $5,
            delivery_count = delivery_count + $6, updated_at = clock_timestamp(),
            state = coalesce($7::text, state), finished_at = CASE WHEN $7::text IS NOT NULL THEN now() END
      WHERE id = $1`,
    [
      typeIdToUuid('rpl', o.id),
      cursor?.epoch ?? null,
      cursor?.partition ?? null,
      cursor?.offset ?? null,
      o.scanned,
      o.deliveries,
      typeof o.next === 'string' ? o.next : null,
    ],
  )
}

/** Counts a slice that failed as the turn of its replay and of the tenant, so that those of others are next. By primary key. */
export async function passReplay(db: Queryable, o: { readonly id: string }): Promise<void> {
  await db.query('UPDATE webhook_replays SET updated_at = clock_timestamp() WHERE id = $1', [typeIdToUuid('rpl', o.id)])
}
