import { uuidToTypeId } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'

/** What a matcher needs of an enabled webhook. */
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

/** All enabled webhooks of all tenants, in one snapshot. A scan of the whole table: only when its version has moved. */
export async function readSubscriptions(tx: Queryable): Promise<readonly Subscription[]> {
  const { rows } = await tx.query<{
    id: string
    tenant_id: string
    events: string[]
    task_id: string | null
    session_id: string | null
    agent: string | null
    created_at: Date
    filter: string | null
  }>(
    `SELECT id, tenant_id, events, task_id, session_id, agent, created_at, filter
       FROM webhooks
      WHERE enabled AND deleted_at IS NULL`,
  )
  return rows.map((row) => ({
    id: uuidToTypeId('whk', row.id),
    tenant: row.tenant_id,
    events: row.events,
    taskId: row.task_id,
    sessionId: row.session_id,
    agent: row.agent,
    createdAtMs: row.created_at.getTime(),
    filter: row.filter,
  }))
}
