import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import type { ReplayCursor } from './lock-next-replay.ts'

/** What a slice has come to. */
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

/** Counts a slice that failed as the turn of its replay and of the tenant, so that those of others come next. By primary key. */
export async function passReplay(db: Queryable, o: { readonly id: string }): Promise<void> {
  await db.query('UPDATE webhook_replays SET updated_at = clock_timestamp() WHERE id = $1', [typeIdToUuid('rpl', o.id)])
}
