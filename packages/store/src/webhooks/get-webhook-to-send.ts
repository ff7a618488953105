import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'

/** What it takes to send a webhook something that is no delivery. */
export interface WebhookToSend {
  readonly url: string
  readonly events: readonly string[]
  readonly taskId: string | null
  readonly sessionId: string | null
  readonly agent: string | null
  /** Sealed, aad `webhook:<tenant>:<whk id>`. */
  readonly secret: Buffer
  /** Sealed; null unless a rotation's overlap is running. */
  readonly previousSecret: Buffer | null
  /** Sealed JSON object; null when there are none. */
  readonly headers: Buffer | null
}

/** A webhook of a tenant with what is sealed, or undefined. `id` is a valid `whk_…`. By primary key. */
export async function getWebhookToSend(
  db: Queryable,
  o: { readonly tenant: string; readonly id: string },
): Promise<WebhookToSend | undefined> {
  const { rows } = await db.query<WebhookToSend>(
    `SELECT url, events, task_id AS "taskId", session_id AS "sessionId", agent, secret, headers,
            CASE WHEN previous_secret_until > now() THEN previous_secret END AS "previousSecret"
       FROM webhooks WHERE id = $1 AND tenant_id = $2 AND deleted_at IS NULL`,
    [typeIdToUuid('whk', o.id), o.tenant],
  )
  return rows[0]
}
