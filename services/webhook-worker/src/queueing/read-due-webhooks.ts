import { typeIdToUuid, uuidToTypeId } from '@ariftly/events'
import { defineRow, plain, tenant, typeId, type RowOf, prepared, type Queryable } from '@ariftly/store'
import { isServed } from '@ariftly/store/tenants'
import { NEXT_PROBE_AT, NEXT_TOKEN_MS } from './endpoint-times.ts'
import { BEFORE_FIRST, nextPendingAfter, pendingWebhooksAfter } from './pending-webhooks.ts'

const dueRow = defineRow('w', {
  webhookId: typeId('whk', { sql: 'w.id' }),
  tenant,
  ordering: plain<'none' | 'task'>(),
  /** Until its next delivery or probe may be sent, its rate limit included, in ms; 0 when that is now. */
  dueInMs: plain<number>({
    name: 'due_in_ms',
    sql: `greatest(extract(epoch FROM coalesce(${NEXT_PROBE_AT}, pending.due_at) - now()) * 1000, ${NEXT_TOKEN_MS})::float8`,
  }),
})

/** A webhook with pending deliveries. */
export type DueWebhook = RowOf<typeof dueRow>

/** A part of the webhooks with pending deliveries. */
export interface DueWebhooks {
  /** The enabled ones of tenants that are served, and when the scheduler is to serve each next. */
  readonly webhooks: readonly DueWebhook[]
  /** The webhook after which the next part begins; undefined when this is the last one. */
  readonly next: string | undefined
}

/**
 * The webhooks that have pending deliveries, from the first one behind the webhook `after` on. It reads `runsMax` runs of the index deliveries_due:
 * a webhook or more in each, 16 at most, and looks these up (`OFFSET 0`: as joins they could be planned, while there are few, to read all webhooks). So
 * its cost is by `runsMax`, however many deliveries and webhooks there are.
 */
export async function readDueWebhooks(
  db: Queryable,
  o: { readonly after?: string | undefined; readonly runsMax: number },
): Promise<DueWebhooks> {
  const { rows } = await db.query<{ next: string | null; webhook_id: string | null }>(
    prepared(
      `WITH RECURSIVE ${pendingWebhooksAfter('$1', '$2')},
     due AS (
       SELECT ${dueRow.columns}
         FROM pending
        CROSS JOIN LATERAL (SELECT * FROM webhooks WHERE id = pending.webhook_id OFFSET 0) w
        CROSS JOIN LATERAL (SELECT * FROM webhook_endpoints WHERE webhook_id = pending.webhook_id OFFSET 0) e
        WHERE w.enabled AND w.deleted_at IS NULL AND ${isServed('w.tenant_id')}),
     reach AS (SELECT ${nextPendingAfter('$2')} AS next)
     SELECT reach.next, due.* FROM reach LEFT JOIN due ON true`,
      [o.after === undefined ? BEFORE_FIRST : typeIdToUuid('whk', o.after), o.runsMax],
    ),
  )
  const next = rows[0]?.next ?? null
  return {
    webhooks: rows.filter((row) => row.webhook_id !== null).map(dueRow.read),
    next: next === null ? undefined : uuidToTypeId('whk', next),
  }
}
