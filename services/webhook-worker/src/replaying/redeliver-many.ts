import { typeIdToUuid, uuidToTypeId } from '@ariftly/events'
import { type DeliveryStatus, isStill, TRANSITIONS } from '@ariftly/store/deliveries'
import type { Queryable } from '@ariftly/store'

/** How many deliveries of which webhooks. */
export type CountByWebhook = ReadonlyMap<string, number>

/**
 * Makes these deliveries due: finished ones are `pending` again with all attempts of the schedule before them; `pending` ones that are due later
 * keep their attempts. Those of deleted webhooks, and those whose state is not `status` any more, stay, and so do pending ones that another
 * transaction holds. A dry run counts the same and changes nothing. By primary keys.
 */
export async function redeliverMany(
  tx: Queryable,
  o: {
    readonly tenant: string
    readonly ids: readonly string[]
    readonly status: DeliveryStatus
    readonly dryRun: boolean
  },
): Promise<CountByWebhook> {
  if (o.ids.length === 0) return new Map()
  const [values, { count, write }] = [[o.ids.map((id) => typeIdToUuid('dlv', id)), o.tenant], statementsOf(o.status)]
  const { rows } = await tx.query<{ webhook_id: string; n: number }>(o.dryRun ? count : write, values)
  return new Map(rows.map((row) => [uuidToTypeId('whk', row.webhook_id), row.n]))
}

/** `d.state || ''` is a planner hint: so the partial index of failed deliveries is not read to find rows by id. */
function statementsOf(status: DeliveryStatus): { readonly count: string; readonly write: string } {
  const which =
    status === 'pending'
      ? `${isStill(['pending'])} AND d.due_at > now()`
      : `${TRANSITIONS.sendAgain.guard} AND d.state || '' = '${status}'`
  const chosen = `d.id = ANY ($1::uuid[]) AND d.tenant_id = $2 AND ${which}
       AND EXISTS (SELECT FROM webhooks w WHERE w.id = d.webhook_id AND w.deleted_at IS NULL)`
  return {
    count: `SELECT d.webhook_id, count(*)::int AS n FROM deliveries d WHERE ${chosen} GROUP BY d.webhook_id`,
    write: `
WITH sent AS (${status === 'pending' ? makeDue(chosen) : sendAgain(chosen)} RETURNING d.webhook_id)
SELECT webhook_id, count(*)::int AS n FROM sent GROUP BY webhook_id`,
  }
}

function sendAgain(chosen: string): string {
  return `UPDATE deliveries d SET ${TRANSITIONS.sendAgain.set}, replay_id = NULL WHERE ${chosen}`
}

/** A delivery that is held is being queued. */
function makeDue(chosen: string): string {
  return `UPDATE deliveries d SET due_at = now()
           WHERE d.id = ANY (ARRAY(SELECT d.id FROM deliveries d WHERE ${chosen} FOR UPDATE OF d SKIP LOCKED)) AND ${chosen}`
}

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
