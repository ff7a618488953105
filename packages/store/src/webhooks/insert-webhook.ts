import { typeIdToUuid } from '@ariftly/events'
import type { Queryable } from '../queryable.ts'
import {
  toWebhookRow,
  WEBHOOK_COLUMNS,
  webhookSelect,
  type WebhookColumns,
  type WebhookRow,
  type WebhookSettings,
} from './webhook-row.ts'

/** A webhook to store. */
export interface NewWebhook extends WebhookSettings {
  /** TypeID `whk_…`, fresh. */
  readonly id: string
  readonly tenant: string
  /** Sealed with aad `webhook:<tenant>:<whk id>`. */
  readonly secret: Buffer
}

/**
 * Stores a new webhook, unless its tenant has `webhooksMax` already. Creations of one tenant wait for one another until their transactions end, so the
 * limit holds whatever runs at the same time. Triggers add its endpoint's row and move `webhooks_version`: the matcher
 * sees the webhook with the first event appended after this has committed. Returns the webhook as it was written.
 */
export async function insertWebhook(
  tx: Queryable,
  webhook: NewWebhook,
  webhooksMax: number,
): Promise<WebhookRow | 'too_many'> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('ariftly webhooks ' || $1, 0))`, [webhook.tenant])
  const { rows } = await tx.query<WebhookColumns>(
    `WITH written AS (INSERT INTO webhooks AS w (id, tenant_id, url, events, task_id, session_id, agent, description, enabled, disabled_reason,
                           secret, header_names, headers, rate_limit, ordering, filter)
     SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, CASE WHEN $9 THEN NULL ELSE 'manual' END, $10, $11, $12, $13, $14, $15
      WHERE (SELECT count(*) FROM webhooks WHERE tenant_id = $2 AND deleted_at IS NULL) < $16
     RETURNING ${WEBHOOK_COLUMNS})
     ${webhookSelect('written')}`,
    [
      typeIdToUuid('whk', webhook.id),
      webhook.tenant,
      webhook.url,
      webhook.events,
      webhook.taskId,
      webhook.sessionId,
      webhook.agent,
      webhook.description,
      webhook.enabled,
      webhook.secret,
      webhook.headerNames,
      webhook.headers,
      webhook.rateLimit,
      webhook.ordering,
      webhook.filter,
      webhooksMax,
    ],
  )
  return rows[0] === undefined ? 'too_many' : toWebhookRow(rows[0])
}
