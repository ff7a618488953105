/** Deliveries of one run. A jump costs as much as some 80 rows that follow each other, and most webhooks have few that are pending. */
const RUN = 16
/** Below the id of each webhook. */
export const BEFORE_FIRST = '00000000-0000-0000-0000-000000000000'

/**
 * Members of a `WITH RECURSIVE`: `pending (webhook_id, due_at)`, every webhook that has pending deliveries with the first moment at which one is due. It
 * reads runs of 16 deliveries in the index deliveries_due, and jumps from the last webhook of a run to the one behind it: its cost is by such webhooks,
 * not by deliveries.
 */
export const PENDING_WEBHOOKS = membersOf({ first: '', each: '' })

/** SQL: the same for webhooks with ids above `after`, in at most `runsMax` runs; both are parameters. `run` is next to `pending`. */
export function pendingWebhooksAfter(after: string, runsMax: string): string {
  return membersOf({ first: `AND webhook_id > ${after}::uuid`, each: `AND run.number < ${runsMax}` })
}

/** SQL: the webhook after which the next part of {@link pendingWebhooksAfter} begins; null when this is the last one. */
export function nextPendingAfter(runsMax: string): string {
  return `(SELECT webhook_id FROM run WHERE number = ${runsMax} AND place = ${RUN})`
}

function membersOf({ first, each }: { readonly first: string; readonly each: string }): string {
  return `run AS (
       (SELECT webhook_id, due_at, 1 AS number, row_number() OVER () AS place
          FROM (SELECT webhook_id, due_at FROM deliveries WHERE state = 'pending' ${first}
                 ORDER BY webhook_id, due_at LIMIT ${RUN}) ordered)
       UNION ALL
       SELECT next.webhook_id, next.due_at, run.number + 1, next.place
         FROM run
        CROSS JOIN LATERAL (
               SELECT webhook_id, due_at, row_number() OVER () AS place
                 FROM (SELECT webhook_id, due_at FROM deliveries WHERE state = 'pending' AND webhook_id > run.webhook_id
                        ORDER BY webhook_id, due_at LIMIT ${RUN}) ordered) next
        WHERE run.place = ${RUN} ${each}),
     pending AS (SELECT DISTINCT ON (webhook_id) webhook_id, due_at FROM run ORDER BY webhook_id, due_at)`
}
