import { uuidToTypeId } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'

/** What a matcher needs of a webhook. */
export interface Subscription {
  /** `whk_…`. */
  readonly id: string
  readonly tenant: string
  /** As given: exact types, groups (`task.*`) or `*`. */
  readonly events: readonly string[]
  readonly taskId: string | null
  readonly sessionId: string | null
  readonly agent: string | null
  readonly createdAtMs: number
  /** Payload filter as JSON text; null is none. */
  readonly filter: string | null
}

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
  const { rows } = await tx.query<{
    id: string
    tenant_id: string
    events: string[]
    task_id: string | null
    session_id: string | null
    agent: string | null
    created_at: Date
    filter: string | null
    enabled: boolean
  }>(
    `SELECT id, tenant_id, events, task_id, session_id, agent, created_at, filter, enabled AND deleted_at IS NULL AS enabled
       FROM webhooks
      WHERE ${o.since === undefined ? 'enabled AND deleted_at IS NULL' : 'matching_version > $1'}`,
    o.since === undefined ? [] : [o.since],
  )
  return rows.map((row) => ({
    enabled: row.enabled,
    subscription: {
      id: uuidToTypeId('whk', row.id),
      tenant: row.tenant_id,
      events: row.events,
      taskId: row.task_id,
      sessionId: row.session_id,
      agent: row.agent,
      createdAtMs: row.created_at.getTime(),
      filter: row.filter,
    },
  }))
}
