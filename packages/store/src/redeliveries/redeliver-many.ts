import { typeIdToUuid, uuidToTypeId } from '@ariftly/events'
import { FINISHED, SENT_AGAIN } from '../deliveries/delivery-state.ts'
import type { Queryable } from '../queryable.ts'

/** How many deliveries of which webhooks. */
export type CountByWebhook = ReadonlyMap<string, number>

/**
 * Sets these finished deliveries back to `pending`, due now, with all attempts of the schedule before them; those of deleted
 * webhooks, and those whose state is not `status` any more, stay. A dry run counts the same and changes nothing. By
 * primary keys.
 */
export async function redeliverMany(
  tx: Queryable,
  o: {
    readonly tenant: string
    readonly ids: readonly string[]
    readonly status: 'delivered' | 'failed' | 'cancelled'
    readonly dryRun: boolean
  },
): Promise<CountByWebhook> {
  if (o.ids.length === 0) return new Map()
  const { rows } = await tx.query<{ webhook_id: string; n: number }>(o.dryRun ? COUNT : WRITE, [
    o.ids.map((id) => typeIdToUuid('dlv', id)),
    o.tenant,
    o.status,
  ])
  return new Map(rows.map((row) => [uuidToTypeId('whk', row.webhook_id), row.n]))
}

const CHOSEN = `d.id = ANY ($1::uuid[]) AND d.tenant_id = $2 AND ${FINISHED} AND d.state || '' = $3
       AND EXISTS (SELECT FROM webhooks w WHERE w.id = d.webhook_id AND w.deleted_at IS NULL)`

const COUNT = `SELECT d.webhook_id, count(*)::int AS n FROM deliveries d WHERE ${CHOSEN} GROUP BY d.webhook_id`

const WRITE = `
WITH sent AS (UPDATE deliveries d SET ${SENT_AGAIN}, replay_id = NULL WHERE ${CHOSEN} RETURNING d.webhook_id)
SELECT webhook_id, count(*)::int AS n FROM sent GROUP BY webhook_id`

/**
 * Whether any of these webhooks has `waitingMax` deliveries that are due and wait, though it takes them: further ones would
 * delay what it gets live. Disabled and failing webhooks do not count, as waiting for them has no end. By index deliveries_due.
 */
export async function anyWebhookFull(
  tx: Queryable,
  o: { readonly webhookIds: readonly string[]; readonly waitingMax: number },
): Promise<boolean> {
  const { rows } = await tx.query<{ full: boolean }>(
    `SELECT EXISTS (
       SELECT FROM webhooks w JOIN webhook_endpoints e ON e.webhook_id = w.id
        WHERE w.id = ANY ($1::uuid[]) AND w.enabled AND w.deleted_at IS NULL AND e.next_probe_at IS NULL
          AND (SELECT count(*) FROM (
                 SELECT FROM deliveries d
                  WHERE d.webhook_id = w.id AND d.state = 'pending' AND d.due_at <= now() LIMIT $2) due) >= $2) AS full`,
    [o.webhookIds.map((id) => typeIdToUuid('whk', id)), o.waitingMax],
  )
  return rows[0]?.full === true
}
