import { defineRow, plain, tenant, time, typeId, type RowOf, prepared, type Queryable } from '@ariftly/store'

/** The members by which a webhook wants events. */
export const SUBSCRIPTION_FILTER = {
  /** As given: exact types, groups (`task.*`) or `*`. */
  events: plain<readonly string[]>(),
  taskId: plain<string | null>(),
  sessionId: plain<string | null>(),
  agent: plain<string | null>(),
  /** Payload filter as JSON text; null is none. */
  filter: plain<string | null>(),
}

const subscriptionRow = defineRow('w', {
  /** `whk_…`. */
  id: typeId('whk'),
  tenant,
  ...SUBSCRIPTION_FILTER,
  createdAtMs: time(),
})

/** The part of a webhook that matching needs. */
export type Subscription = RowOf<typeof subscriptionRow>

/** A webhook that has changed in what matching reads. */
export interface SubscriptionChange {
  readonly subscription: Subscription
  /** False: disabled or deleted, it matches nothing. */
  readonly enabled: boolean
}

/**
 * The webhooks of all tenants that have changed since a version of `webhooks_version`, in one snapshot; without `since` all
 * that are enabled. By index webhooks_matching_version, or a scan of the whole table.
 */
export async function readSubscriptions(
  tx: Queryable,
  o: { readonly since: number | undefined },
): Promise<readonly SubscriptionChange[]> {
  const { rows } = await tx.query<{ readonly matches: boolean }>(
    `SELECT ${subscriptionRow.columns}, enabled AND deleted_at IS NULL AS matches
       FROM webhooks w
      WHERE ${o.since === undefined ? 'enabled AND deleted_at IS NULL' : 'matching_version > $1'}`,
    o.since === undefined ? [] : [o.since],
  )
  return rows.map((row) => ({ enabled: row.matches, subscription: subscriptionRow.read(row) }))
}

/**
 * The number that every change of a webhook moves that matters to matching. A matcher reads what has changed when it has moved;
 * as the writer committed before its 2xx, any event appended later is matched with it.
 */
export async function readWebhooksVersion(tx: Queryable): Promise<number> {
  const { rows } = await tx.query<{ version: number }>(prepared('SELECT version FROM webhooks_version', []))
  const row = rows[0]
  if (row === undefined) throw new Error('the table webhooks_version has no row')
  return row.version
}
